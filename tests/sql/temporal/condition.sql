-- Further conditions of ON decide whether the version counts as found.
--- use rates
--- sql
SELECT t.id, r.rate FROM trades AS t
LEFT JOIN rates FOR SYSTEM_TIME AS OF t.ts AS r ON t.currency = r.currency AND r.rate > t.amount * 5 AND t.id <> 3;
--- rows
id | rate
1 | NULL
2 | 110
3 | NULL
4 | NULL
5 | NULL
6 | NULL
7 | NULL
8 | 99
9 | NULL
10 | NULL
11 | NULL
