-- Variance over rows that change.
--- use keyed
--- sql
SELECT ROUND(VAR_POP(n), 6) AS vp, ROUND(STDDEV_SAMP(s), 6) AS ss, ROUND(VAR_SAMP(n) FILTER (WHERE n > 1), 6) AS f
FROM (SELECT k, COUNT(*) AS n, SUM(v) AS s FROM keyed GROUP BY k);
--- rows
vp | ss | f
0.56 | 20.822664 | 0.333333
