-- As many rows as keep their average below a limit: an aggregate in DEFINE.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY ts
  MEASURES FIRST(A.ts) AS start_ts, LAST(A.ts) AS end_ts, SUM(A.price) AS total, COUNT(*) AS n, B.price AS b
  ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW
  PATTERN (A+ B)
  DEFINE A AS AVG(A.price) < 20
) AS m;
--- rows
sym | start_ts | end_ts | total | n | b
ash | 2026-03-01 10:00:00 | 2026-03-01 10:09:00 | 190 | 11 | 19
oak | 2026-03-01 10:00:10 | 2026-03-01 11:04:10 | 32 | 7 | 2
