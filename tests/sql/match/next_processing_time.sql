-- In processing time a row waits for the next one, and the last for the end.
--- use ticks
--- sql
CREATE VIEW live AS SELECT *, PROCTIME() AS pt FROM ticks;
SELECT sym, COUNT(*) AS n, SUM(c) AS c FROM live MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY pt
  MEASURES CASE WHEN NEXT(A.id) IS NULL THEN 1 ELSE 0 END AS c
  PATTERN (A)
) GROUP BY sym;
--- rows
sym | n | c
ash | 11 | 1
elm | 10 | 1
oak | 7 | 1
