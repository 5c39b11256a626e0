-- ABS, CEIL, FLOOR, ROUND, POWER, SQRT, MOD, SIGN.
--- sql
SELECT ABS(-3) AS a, CEIL(2.1e0) AS c, FLOOR(-2.1e0) AS f, ROUND(2.346e0, 2) AS r, POWER(2e0, 10e0) AS p, SQRT(81e0) AS s, MOD(17, 5) AS m
FROM (VALUES (1)) AS v (x);
--- rows
a | c | f | r | p | s | m
3 | 3.0 | -3.0 | 2.35 | 1024.0 | 9.0 | 2
