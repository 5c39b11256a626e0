-- Conditions with COALESCE, which is there only as what it is simplified to.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY ts
  MEASURES FIRST(id) AS f, LAST(id) AS l
  PATTERN (A B)
  DEFINE A AS COALESCE(price, 0) < 6, B AS COALESCE(price, 0) >= 6
) AS m;
--- rows
sym | f | l
oak | 5 | 8
oak | 11 | 14
