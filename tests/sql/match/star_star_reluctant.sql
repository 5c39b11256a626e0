-- Two reluctant stars.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY ts
  MEASURES COUNT(A.id) AS a, COUNT(B.id) AS b
  PATTERN (A*? B*? H)
  DEFINE H AS price >= 20
) AS m;
--- rows
sym | a | b
ash | 0 | 0
ash | 0 | 0
ash | 0 | 3
ash | 0 | 3
elm | 0 | 0
elm | 0 | 0
elm | 0 | 0
elm | 0 | 0
elm | 0 | 0
elm | 0 | 0
elm | 0 | 0
elm | 0 | 0
elm | 0 | 0
elm | 0 | 0
