-- Distinct aggregates can stand in MEASURES alone.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  ORDER BY ts PATTERN (A+ B) DEFINE A AS COUNT(DISTINCT A.qty) < 3
);
--- error
LV-
DISTINCT
