-- Rows that are left out of a match.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  ORDER BY ts ALL ROWS PER MATCH PATTERN (A {- B -} C) DEFINE A AS price > 1
);
--- error
LV-
{- … -}
