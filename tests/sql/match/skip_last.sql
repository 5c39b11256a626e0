-- AFTER MATCH SKIP TO LAST variable.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY ts
  MEASURES FIRST(ts) AS a, LAST(ts) AS b, COUNT(*) AS n
  AFTER MATCH SKIP TO LAST L
  PATTERN (S L+ H)
  DEFINE L AS price < 20, H AS price >= 20
) AS m;
--- rows
sym | a | b | n
ash | 2026-03-01 10:00:00 | 2026-03-01 10:03:00 | 4
ash | 2026-03-01 10:04:00 | 2026-03-01 10:08:00 | 5
