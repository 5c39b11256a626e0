-- A condition that is a number.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  ORDER BY ts PATTERN (A B) DEFINE A AS price + 1
);
--- error
LV-
not BOOLEAN
