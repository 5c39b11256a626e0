-- A key of ROLLUP is computed, and the types in it do not fit by themselves.
--- use keyed
--- sql
SELECT k, CASE WHEN v > CAST('10' AS BIGINT) THEN 'much' END AS m, COUNT(*) AS n,
  GROUPING(CASE WHEN v > CAST('10' AS BIGINT) THEN 'much' END) AS g
FROM keyed GROUP BY ROLLUP (k, CASE WHEN v > CAST('10' AS BIGINT) THEN 'much' END);
--- rows
k | m | n | g
a | much | 1 | 0
a | NULL | 2 | 0
b | much | 2 | 0
c | NULL | 1 | 0
d | NULL | 1 | 0
NULL | NULL | 2 | 0
a | NULL | 3 | 1
b | NULL | 2 | 1
c | NULL | 1 | 1
d | NULL | 1 | 1
NULL | NULL | 2 | 1
NULL | NULL | 9 | 1
