-- A subquery in a condition.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  ORDER BY ts PATTERN (A B) DEFINE A AS price > (SELECT MAX(price) FROM ticks)
);
--- error
LV-
subquery
