-- CLASSIFIER() and MATCH_NUMBER() of one row for each match: those of its last row.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY ts
  MEASURES CLASSIFIER() AS c, MATCH_NUMBER() AS mn
  PATTERN (X (A | B))
  DEFINE A AS A.price > 20, B AS B.price < 15
) AS m;
--- rows
sym | c | mn
ash | A | 1
ash | A | 3
ash | B | 2
elm | A | 1
elm | A | 2
elm | A | 3
elm | A | 4
oak | B | 1
oak | B | 2
oak | B | 3
