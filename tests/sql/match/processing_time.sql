-- In processing time rows match as they come; how many there are is known.
--- use ticks
--- sql
CREATE VIEW live AS SELECT *, PROCTIME() AS pt FROM ticks;
SELECT sym, COUNT(*) AS n, MAX(c) AS c FROM live MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY pt
  MEASURES COUNT(*) AS c, MATCH_PROCTIME() AS mp
  PATTERN (A B{2})
) GROUP BY sym;
--- rows
sym | n | c
ash | 3 | 3
elm | 3 | 3
oak | 2 | 3
