-- A pattern that is too long with its repetitions.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  ORDER BY ts PATTERN (A{3000} B) DEFINE A AS price > 1
);
--- error
LV-
2000
