-- A condition about what was matched and about the row behind.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY ts
  MEASURES A.id AS a, COUNT(B.id) AS n, B.id AS b, NEXT(B.id) AS behind
  PATTERN (A B+)
  DEFINE B AS B.price < A.price AND NEXT(B.price) < B.price
) AS m;
--- rows
sym | a | n | b | behind
ash | 13 | 2 | 18 | 20
elm | 3 | 2 | 9 | 12
elm | 17 | 1 | 19 | 24
