-- More columns in ORDER BY.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY ts, id DESC
  MEASURES FIRST(ts) AS a, LAST(ts) AS b, COUNT(*) AS n
  PATTERN (L H)
  DEFINE L AS price < 20, H AS price >= 20
) AS m;
--- rows
sym | a | b | n
ash | 2026-03-01 10:02:00 | 2026-03-01 10:03:00 | 2
ash | 2026-03-01 10:07:00 | 2026-03-01 10:08:00 | 2
