-- ? and ??.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY ts
  MEASURES COUNT(A.id) AS a, COUNT(B.id) AS b, COUNT(*) AS n
  PATTERN (A? L B?? H)
  DEFINE L AS price < 20, H AS price >= 20
) AS m;
--- rows
sym | a | b | n
ash | 1 | 1 | 4
ash | 1 | 1 | 4
