-- NEXT looks at the row behind, whatever it is: prices above both of their neighbours.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY ts
  MEASURES P.id AS id, P.price AS price, NEXT(P.price) AS behind
  PATTERN (P)
  DEFINE P AS price > PREV(price) AND price > NEXT(price)
) AS m;
--- rows
sym | id | price | behind
ash | 13 | 25 | 18
ash | 22 | 25 | 19
elm | 17 | 33 | 29
elm | 25 | 22 | 21
oak | 27 | 9 | 2
