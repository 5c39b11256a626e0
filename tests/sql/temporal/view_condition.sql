-- A view with a condition has no row while the version of then does not fulfil it: not the version before.
--- use rates
--- sql
CREATE VIEW low AS SELECT currency, rate FROM rates WHERE rate < 112 AND rate <> 101;
SELECT t.id, r.rate FROM trades AS t
LEFT JOIN low FOR SYSTEM_TIME AS OF t.ts AS r ON t.currency = r.currency;
--- rows
id | rate
1 | NULL
2 | 110
3 | 100
4 | NULL
5 | NULL
6 | NULL
7 | NULL
8 | 99
9 | NULL
10 | 2
11 | NULL
