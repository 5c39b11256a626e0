-- MATCH_RECOGNIZE stands behind a name.
--- use ticks
--- sql
SELECT * FROM (SELECT * FROM ticks) MATCH_RECOGNIZE (ORDER BY ts PATTERN (A B) DEFINE A AS price > 1);
--- error
LV-
behind a subquery
