-- Two joins in a row: what a trade was worth at the rate of its currency, and at that of its dealer.
--- use rates
--- sql
SELECT a.id, q.price, r.rate FROM asked AS a
LEFT JOIN quotes FOR SYSTEM_TIME AS OF a.ts AS q ON a.who = q.dealer AND a.what = q.currency
JOIN rates FOR SYSTEM_TIME AS OF a.ts AS r ON a.what = r.currency;
--- rows
id | price | rate
2 | 1 | 110
3 | NULL | 108
4 | 4 | 110
5 | 3 | 100
6 | NULL | 100
7 | NULL | 108
