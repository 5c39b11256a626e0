-- Rows match in an order.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY sym PATTERN (A) DEFINE A AS price > 1
);
--- error
LV-
has no ORDER BY
