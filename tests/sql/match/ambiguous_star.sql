-- An ambiguous group under a star: equal runs are one.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY ts
  MEASURES COUNT(A.id) AS a, COUNT(B.id) AS b, COUNT(*) AS n
  PATTERN ((A | B)* L)
  DEFINE A AS A.price > 13, B AS B.price > 3, L AS L.price < 20
) AS m;
--- rows
sym | a | b | n
ash | 9 | 1 | 11
oak | 0 | 0 | 1
oak | 0 | 4 | 5
