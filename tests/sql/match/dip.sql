-- A fall and the row with which it is over: conditions about what was matched.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY ts
  MEASURES STRT.ts AS start_ts, LAST(DOWN.ts) AS bottom_ts, LAST(UP.ts) AS end_ts, LAST(DOWN.price) AS bottom
  ONE ROW PER MATCH
  AFTER MATCH SKIP TO LAST UP
  PATTERN (STRT DOWN+ UP)
  DEFINE
    DOWN AS (LAST(DOWN.price, 1) IS NULL AND DOWN.price < STRT.price) OR DOWN.price < LAST(DOWN.price, 1),
    UP AS UP.price > LAST(DOWN.price)
) AS m;
--- rows
sym | start_ts | bottom_ts | end_ts | bottom
ash | 2026-03-01 10:04:00 | 2026-03-01 10:07:00 | 2026-03-01 10:08:00 | 14
elm | 2026-03-01 10:00:30 | 2026-03-01 10:03:30 | 2026-03-01 10:04:30 | 26
elm | 2026-03-01 10:05:30 | 2026-03-01 10:20:00 | 2026-03-01 10:21:00 | 20
oak | 2026-03-01 10:02:10 | 2026-03-01 10:03:10 | 2026-03-01 10:04:10 | 4
