-- A reluctant quantifier leaves them to it.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY ts
  MEASURES FIRST(ts) AS a, LAST(ts) AS b, COUNT(*) AS n
  PATTERN (X{2,4}? L)
  DEFINE L AS price < 20
) AS m;
--- rows
sym | a | b | n
ash | 2026-03-01 10:00:00 | 2026-03-01 10:02:00 | 3
ash | 2026-03-01 10:03:00 | 2026-03-01 10:05:00 | 3
ash | 2026-03-01 10:06:00 | 2026-03-01 10:10:00 | 5
oak | 2026-03-01 10:00:10 | 2026-03-01 10:02:10 | 3
oak | 2026-03-01 10:03:10 | 2026-03-01 11:04:10 | 3
