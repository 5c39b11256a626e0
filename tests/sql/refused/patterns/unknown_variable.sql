-- A variable that the pattern does not have.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  ORDER BY ts MEASURES C.price AS p PATTERN (A B) DEFINE A AS price > 1
);
--- error
LV-
no variable C
