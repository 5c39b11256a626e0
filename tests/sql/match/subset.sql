-- SUBSET: several variables as one.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY ts
  MEASURES COUNT(U.id) AS n, AVG(U.price) AS av, LAST(U.id) AS l
  PATTERN (A X B L)
  SUBSET U = (A, B), W = (X)
  DEFINE L AS L.price < FIRST(U.price), B AS B.id > W.id
) AS m;
--- rows
sym | n | av | l
ash | 2 | 22.0 | 13
elm | 2 | 28.5 | 9
elm | 2 | 30.0 | 19
oak | 2 | 5.5 | 8
