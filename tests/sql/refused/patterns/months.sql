-- A duration whose length varies.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  ORDER BY ts PATTERN (A B) WITHIN INTERVAL '1' MONTH DEFINE A AS price > 1
);
--- error
LV-
WITHIN
