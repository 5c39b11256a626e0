-- Two stars: the first takes all.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY ts
  MEASURES COUNT(A.id) AS a, COUNT(B.id) AS b
  PATTERN (A* B* H)
  DEFINE H AS price >= 20
) AS m;
--- rows
sym | a | b
ash | 9 | 0
elm | 9 | 0
