-- AFTER MATCH SKIP TO FIRST variable.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY ts
  MEASURES FIRST(ts) AS a, LAST(ts) AS b, COUNT(*) AS n
  AFTER MATCH SKIP TO FIRST H
  PATTERN (S L+ H H)
  DEFINE L AS price < 20, H AS price >= 20
) AS m;
--- rows
sym | a | b | n
ash | 2026-03-01 10:00:00 | 2026-03-01 10:04:00 | 5
ash | 2026-03-01 10:04:00 | 2026-03-01 10:09:00 | 6
