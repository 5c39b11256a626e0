-- ORDER BY must begin with a time attribute.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY id PATTERN (A) DEFINE A AS price > 1
);
--- error
LV-
no time attribute
