-- A column that comes twice makes a set twice, in which it counts once.
--- use keyed
--- sql
SELECT k, COUNT(*) AS n FROM keyed WHERE k < 'c' GROUP BY ROLLUP (k, k)
UNION ALL
SELECT k, SUM(v) AS n FROM keyed WHERE k < 'c' GROUP BY GROUPING SETS ((k, k), (k), ());
--- rows
k | n
a | 3
a | 3
b | 2
b | 2
NULL | 5
a | 45
a | 45
b | 40
b | 40
NULL | 85
