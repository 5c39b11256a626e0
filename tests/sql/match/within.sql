-- WITHIN: the last row is less than that behind the first.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY ts
  MEASURES FIRST(ts) AS a, LAST(ts) AS b, COUNT(*) AS n
  PATTERN (S X* H)
  WITHIN INTERVAL '3' MINUTE
  DEFINE H AS price >= 20
) AS m;
--- rows
sym | a | b | n
ash | 2026-03-01 10:01:00 | 2026-03-01 10:03:00 | 3
ash | 2026-03-01 10:06:00 | 2026-03-01 10:08:00 | 3
elm | 2026-03-01 10:00:30 | 2026-03-01 10:02:30 | 3
elm | 2026-03-01 10:03:30 | 2026-03-01 10:05:30 | 3
elm | 2026-03-01 10:20:00 | 2026-03-01 10:22:00 | 3
