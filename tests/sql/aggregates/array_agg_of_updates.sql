-- ARRAY_AGG and what is made of it over rows that change.
--- use keyed
--- sql
SELECT ARRAY_SORT(ARRAY_AGG(n)) AS a, ARRAY_SORT(ARRAY_AGG(DISTINCT n)) AS d, CARDINALITY(ARRAY_AGG(k)) AS c, PERCENTILE(n, 0.5) AS p,
  LISTAGG(k) FILTER (WHERE n = 3) AS l, JSON_ARRAYAGG(k) FILTER (WHERE n = 3) AS j, COUNT(DISTINCT n, n > 1) AS pairs
FROM (SELECT k, COUNT(*) AS n FROM keyed GROUP BY k);
--- rows
a | d | c | p | l | j | pairs
[1, 1, 2, 2, 3] | [1, 2, 3] | 5 | 2.0 | a | ["a"] | 3
