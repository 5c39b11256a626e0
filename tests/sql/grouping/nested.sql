-- A ROLLUP and a CUBE among the sets stand for theirs.
--- use keyed
--- sql
SELECT id, k, v, COUNT(*) AS n FROM keyed WHERE id < 4 GROUP BY GROUPING SETS (id, ROLLUP (k, v))
UNION ALL SELECT 100, k, NULL, COUNT(*) FROM keyed WHERE id < 4 GROUP BY GROUPING SETS ((), CUBE (k));
--- rows
id | k | v | n
1 | NULL | NULL | 1
2 | NULL | NULL | 1
3 | NULL | NULL | 1
NULL | a | 10 | 1
NULL | b | 20 | 1
NULL | a | 30 | 1
NULL | a | NULL | 2
NULL | b | NULL | 1
NULL | NULL | NULL | 3
100 | NULL | NULL | 3
100 | a | NULL | 2
100 | b | NULL | 1
100 | NULL | NULL | 3
