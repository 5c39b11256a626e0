-- What comes out can be aggregated without windows.
--- use rates
--- sql
SELECT r.currency, COUNT(*) AS n, SUM(t.amount * r.rate) AS total FROM trades AS t
JOIN rates FOR SYSTEM_TIME AS OF t.ts AS r ON t.currency = r.currency GROUP BY r.currency;
--- rows
currency | n | total
EUR | 4 | 18060
JPY | 1 | 18
USD | 2 | 1094
