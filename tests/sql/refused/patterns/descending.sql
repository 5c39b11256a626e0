-- Rows match forward in time.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  ORDER BY ts DESC PATTERN (A) DEFINE A AS price > 1
);
--- error
LV-
descending time
