-- Rows that change.
--- use ticks
--- sql
CREATE VIEW counts AS SELECT sym, MAX(ts) AS ts, COUNT(*) AS n FROM ticks GROUP BY sym;
SELECT * FROM counts MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY ts PATTERN (A B) DEFINE A AS n > 1
);
--- error streaming
LV-
rows that change
