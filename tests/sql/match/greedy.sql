-- A greedy quantifier takes rows that the next variable could take.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY ts
  MEASURES FIRST(ts) AS a, LAST(ts) AS b, COUNT(*) AS n
  PATTERN (X{2,4} L)
  DEFINE L AS price < 20
) AS m;
--- rows
sym | a | b | n
ash | 2026-03-01 10:00:00 | 2026-03-01 10:02:00 | 3
ash | 2026-03-01 10:03:00 | 2026-03-01 10:07:00 | 5
ash | 2026-03-01 10:08:00 | 2026-03-01 10:10:00 | 3
oak | 2026-03-01 10:00:10 | 2026-03-01 10:04:10 | 5
