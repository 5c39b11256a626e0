-- A pattern that matches nothing.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  ORDER BY ts PATTERN (A* B?) DEFINE A AS price > 1
);
--- error
LV-
matches without a row
