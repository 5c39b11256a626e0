-- PARTITION BY takes columns.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY id % 2 ORDER BY ts PATTERN (A B) DEFINE A AS price > 1
);
--- error
LV-
PARTITION BY
