-- An aggregate is over the rows of one variable.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  ORDER BY ts MEASURES SUM(A.price + B.price) AS s PATTERN (A B)
);
--- error
LV-
two variables
