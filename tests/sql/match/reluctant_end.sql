-- A reluctant last variable takes as little as it can.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY ts
  MEASURES FIRST(ts) AS a, LAST(ts) AS b, COUNT(*) AS n
  PATTERN (H L+?)
  DEFINE L AS price < 20, H AS price >= 20
) AS m;
--- rows
sym | a | b | n
ash | 2026-03-01 10:04:00 | 2026-03-01 10:05:00 | 2
ash | 2026-03-01 10:09:00 | 2026-03-01 10:10:00 | 2
