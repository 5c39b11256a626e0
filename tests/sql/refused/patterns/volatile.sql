-- A condition that says another thing each time.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  ORDER BY ts PATTERN (A B) DEFINE A AS RAND() > 0.5
);
--- error
LV-
varies
