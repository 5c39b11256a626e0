-- MIN, MAX and COUNT in conditions.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY ts
  MEASURES FIRST(A.id) AS a, COUNT(A.id) AS n, MAX(A.price) AS hi
  PATTERN (A+ B)
  DEFINE A AS MAX(A.price) - MIN(A.price) < 8 AND COUNT(A.id) <= 4, B AS B.price < MIN(A.price)
) AS m;
--- rows
sym | a | n | hi
ash | 21 | 2 | 25
ash | 7 | 4 | 25
elm | 15 | 3 | 33
elm | 25 | 1 | 22
elm | 3 | 3 | 30
oak | 14 | 2 | 9
oak | 2 | 3 | 6
