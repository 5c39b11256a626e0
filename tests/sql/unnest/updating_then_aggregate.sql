-- Elements of arrays that change are counted, and some rows have none.
--- use keyed
--- sql
SELECT x, COUNT(*) AS n FROM (
  SELECT CASE WHEN COUNT(*) > 1 THEN ARRAY[MIN(v), MAX(v)] END AS ends FROM keyed GROUP BY k) AS g
LEFT JOIN UNNEST(ends) AS u (x) ON TRUE GROUP BY x;
--- rows
x | n
5 | 1
30 | 1
20 | 2
7 | 1
8 | 1
NULL | 2
