-- A column that the input does not have.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  ORDER BY ts PATTERN (A B) DEFINE A AS A.prize > 1
);
--- error
LV-
column prize does not exist
