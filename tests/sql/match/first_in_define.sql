-- FIRST of the own variable and of another one in conditions.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY ts
  MEASURES FIRST(U.id) AS a, LAST(U.id) AS b, D.id AS d
  PATTERN (U{2,} D)
  DEFINE U AS U.price >= FIRST(U.price), D AS D.price < FIRST(U.price, 1)
) AS m;
--- rows
sym | a | b | d
ash | 1 | 18 | 20
ash | 21 | 22 | 23
elm | 12 | 19 | 24
oak | 11 | 27 | 28
