-- Alternatives: the first that fits is taken.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY ts
  MEASURES COUNT(A.id) AS a, COUNT(B.id) AS b, COUNT(H.id) AS h, FIRST(id) AS f
  PATTERN ((A | B H) L)
  DEFINE A AS A.price >= 25, B AS B.price > 12, H AS H.price >= 20, L AS L.price < 20
) AS m;
--- rows
sym | a | b | h | f
ash | 0 | 1 | 1 | 10
ash | 0 | 1 | 1 | 21
