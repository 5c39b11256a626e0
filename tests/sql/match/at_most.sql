-- {,m}.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY ts
  MEASURES FIRST(ts) AS a, LAST(ts) AS b, COUNT(*) AS n
  PATTERN (S H{,2} L)
  DEFINE L AS price < 20, H AS price >= 20
) AS m;
--- rows
sym | a | b | n
ash | 2026-03-01 10:00:00 | 2026-03-01 10:01:00 | 2
ash | 2026-03-01 10:02:00 | 2026-03-01 10:05:00 | 4
ash | 2026-03-01 10:06:00 | 2026-03-01 10:07:00 | 2
ash | 2026-03-01 10:08:00 | 2026-03-01 10:10:00 | 3
oak | 2026-03-01 10:01:10 | 2026-03-01 10:02:10 | 2
oak | 2026-03-01 10:03:10 | 2026-03-01 10:04:10 | 2
oak | 2026-03-01 11:04:10 | 2026-03-01 11:05:10 | 2
