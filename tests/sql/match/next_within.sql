-- WITHIN is about the rows of a match, not about those that NEXT finds.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY ts
  MEASURES A.id AS a, B.id AS b, NEXT(B.ts) AS behind
  PATTERN (A B)
  WITHIN INTERVAL '90' SECOND
  DEFINE A AS price >= 20, B AS B.price < A.price
) AS m;
--- rows
sym | a | b | behind
ash | 13 | 16 | 2026-03-01 10:06:00
ash | 22 | 23 | NULL
elm | 3 | 6 | 2026-03-01 10:02:30
elm | 9 | 12 | 2026-03-01 10:04:30
elm | 17 | 19 | 2026-03-01 10:20:00
elm | 25 | 26 | NULL
