-- A skip to what is no variable.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  ORDER BY ts AFTER MATCH SKIP TO LAST X PATTERN (A B) DEFINE A AS price > 1
);
--- error
LV-
no variable X
