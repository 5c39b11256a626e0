-- PERMUTE: in any order.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY ts
  MEASURES LAST(A.id) AS a, LAST(B.id) AS b, LAST(L.id) AS l
  PATTERN (PERMUTE(A, B, L))
  DEFINE A AS A.qty = 1, B AS B.qty = 2, L AS L.price < 20
) AS m;
--- rows
sym | a | b | l
ash | 1 | 4 | 7
ash | 16 | 13 | 18
oak | 8 | 5 | 2
