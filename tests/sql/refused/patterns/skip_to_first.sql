-- A skip that would find the same match again.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  ORDER BY ts AFTER MATCH SKIP TO FIRST A PATTERN (A B) DEFINE A AS price > 1
);
--- error
LV-
for ever
