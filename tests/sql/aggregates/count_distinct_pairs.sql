-- COUNT(DISTINCT) of several columns counts rows in which none is NULL; APPROX_COUNT_DISTINCT is exact.
--- use keyed
--- sql
SELECT COUNT(DISTINCT k, v) AS pairs, COUNT(k, v) AS both_there, APPROX_COUNT_DISTINCT(v) AS vs, APPROX_COUNT_DISTINCT(k) FILTER (WHERE id < 4) AS early FROM keyed;
--- rows
pairs | both_there | vs | early
5 | 6 | 7 | 2
