-- Standard deviations of distinct values.
--- use keyed
--- sql
SELECT k, STDDEV_POP(DISTINCT v) AS p, STDDEV_SAMP(DISTINCT v) IS NULL AS s, ROUND(STDDEV(DISTINCT v) FILTER (WHERE v < 8), 6) AS f
FROM keyed WHERE k <> 'a' OR k IS NULL GROUP BY k;
--- rows
k | p | s | f
b | 0.0 | true | NULL
c | NULL | true | NULL
d | 0.0 | true | NULL
NULL | 0.5 | false | NULL
