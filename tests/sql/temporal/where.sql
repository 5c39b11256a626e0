-- Conditions of WHERE, on either side, are about what comes out.
--- use rates
--- sql
SELECT t.id, r.rate FROM trades AS t
LEFT JOIN rates FOR SYSTEM_TIME AS OF t.ts AS r ON t.currency = r.currency
WHERE t.amount > 5 AND (r.rate IS NULL OR r.rate < 112) AND t.currency <> 'GBP';
--- rows
id | rate
1 | NULL
2 | 110
7 | NULL
8 | 99
10 | 2
