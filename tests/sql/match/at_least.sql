-- {n,}.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY ts
  MEASURES FIRST(ts) AS a, LAST(ts) AS b, COUNT(*) AS n
  PATTERN (H{2,} L)
  DEFINE L AS price < 20, H AS price >= 20
) AS m;
--- rows
sym | a | b | n
ash | 2026-03-01 10:03:00 | 2026-03-01 10:05:00 | 3
ash | 2026-03-01 10:08:00 | 2026-03-01 10:10:00 | 3
