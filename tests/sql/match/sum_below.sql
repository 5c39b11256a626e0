-- A running sum in DEFINE, and a reluctant quantifier that ends as soon as it can.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY ts
  MEASURES SUM(A.qty) AS total, COUNT(A.id) AS n, LAST(B.qty) AS b
  PATTERN (A+? B)
  DEFINE A AS SUM(A.qty) <= 4, B AS B.qty >= 2
) AS m;
--- rows
sym | total | n | b
ash | 1 | 1 | 2
ash | 1 | 1 | 3
ash | 2 | 1 | 2
ash | 4 | 3 | 2
elm | 1 | 1 | 4
elm | 2 | 2 | 2
elm | 4 | 3 | 3
