-- DEFINE of a variable that the pattern does not have.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  ORDER BY ts PATTERN (A B) DEFINE C AS price > 1
);
--- error
LV-
DEFINE is about C
