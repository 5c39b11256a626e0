-- Variance and standard deviation, of one value and of none.
--- use keyed
--- sql
SELECT k, ROUND(VAR_POP(v), 6) AS vp, ROUND(VAR_SAMP(v), 6) AS vs, ROUND(STDDEV_POP(v), 6) AS sp, ROUND(STDDEV_SAMP(v), 6) AS ss,
  ROUND(VARIANCE(v), 6) AS v, ROUND(STDDEV(v), 6) AS s
FROM keyed GROUP BY k;
--- rows
k | vp | vs | sp | ss | v | s
a | 116.666667 | 175.0 | 10.801234 | 13.228757 | 175.0 | 13.228757
b | 0.0 | 0.0 | 0.0 | 0.0 | 0.0 | 0.0
c | NULL | NULL | NULL | NULL | NULL | NULL
d | 0.0 | NULL | 0.0 | NULL | NULL | NULL
NULL | 0.25 | 0.5 | 0.5 | 0.707107 | 0.5 | 0.707107
