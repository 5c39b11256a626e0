-- NEXT looks at rows that are not there yet.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  ORDER BY ts MEASURES NEXT(A.price) AS n PATTERN (A B) DEFINE A AS price > 1
);
--- error
LV-
NEXT
