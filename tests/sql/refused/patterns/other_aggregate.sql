-- An aggregate that patterns do not know.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  ORDER BY ts MEASURES STDDEV(A.price) AS s PATTERN (A+ B)
);
--- error
LV-
STDDEV
