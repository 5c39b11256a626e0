-- Variables without a condition take any row; DEFINE may be left out.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY ts
  MEASURES FIRST(ts) AS a, LAST(ts) AS b, COUNT(*) AS n
  PATTERN (A B C)
) AS m;
--- rows
sym | a | b | n
ash | 2026-03-01 10:00:00 | 2026-03-01 10:02:00 | 3
ash | 2026-03-01 10:03:00 | 2026-03-01 10:05:00 | 3
ash | 2026-03-01 10:06:00 | 2026-03-01 10:08:00 | 3
elm | 2026-03-01 10:00:30 | 2026-03-01 10:02:30 | 3
elm | 2026-03-01 10:03:30 | 2026-03-01 10:05:30 | 3
elm | 2026-03-01 10:06:30 | 2026-03-01 10:21:00 | 3
oak | 2026-03-01 10:00:10 | 2026-03-01 10:02:10 | 3
oak | 2026-03-01 10:03:10 | 2026-03-01 11:04:10 | 3
