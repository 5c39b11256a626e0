-- PREV looks at rows before the match as well.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY ts
  MEASURES A.id AS a, PREV(A.id) AS p, PREV(A.id, 2) AS q, B.price AS b
  PATTERN (A B)
  DEFINE A AS price > PREV(price) AND PREV(price) > PREV(price, 2), B AS B.price > A.price
) AS m;
--- rows
sym | a | p | q | b
ash | 7 | 4 | 1 | 21
