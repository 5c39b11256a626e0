-- Aggregates of all values, and variance, of GROUPING SETS.
--- use keyed
--- sql
SELECT k, CARDINALITY(ARRAY_AGG(v)) AS n, FIRST_VALUE(v) FILTER (WHERE id = 2) AS f, ROUND(STDDEV_POP(v), 6) AS s FROM keyed WHERE k < 'd' GROUP BY ROLLUP (k);
--- rows
k | n | f | s
a | 3 | NULL | 10.801234
b | 2 | 20 | 0.0
c | 1 | NULL | NULL
NULL | 6 | 20 | 8.717798
