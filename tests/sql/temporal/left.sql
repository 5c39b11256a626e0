-- Trades before the first rate, of currencies without one, and without currency or time stand beside NULLs.
--- use rates
--- sql
SELECT t.id, t.amount, r.currency, r.rate FROM trades AS t
LEFT JOIN rates FOR SYSTEM_TIME AS OF t.ts AS r ON t.currency = r.currency;
--- rows
id | amount | currency | rate
1 | 10 | NULL | NULL
2 | 20 | EUR | 110
3 | 5 | USD | 100
4 | 30 | EUR | 112
5 | 7 | NULL | NULL
6 | 8 | NULL | NULL
7 | 40 | NULL | NULL
8 | 6 | USD | 99
9 | 50 | EUR | 112
10 | 9 | JPY | 2
11 | 60 | EUR | 115
