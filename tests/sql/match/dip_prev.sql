-- The same with PREV, which looks at the row before, whatever it was.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY ts
  MEASURES FIRST(ts) AS start_ts, COUNT(DOWN.price) AS n, MIN(DOWN.price) AS low, UP.price AS up
  PATTERN (STRT DOWN+ UP)
  DEFINE DOWN AS DOWN.price < PREV(DOWN.price), UP AS price > PREV(price)
) AS m;
--- rows
sym | start_ts | n | low | up
ash | 2026-03-01 10:04:00 | 3 | 14 | 24
elm | 2026-03-01 10:00:30 | 3 | 26 | 31
elm | 2026-03-01 10:05:30 | 2 | 20 | 22
oak | 2026-03-01 10:02:10 | 1 | 4 | 8
