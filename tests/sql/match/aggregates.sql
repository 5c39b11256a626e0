-- All aggregates over one variable and over all rows; NULLs do not count.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY ts
  MEASURES COUNT(X.qty) AS c, SUM(X.qty) AS s, MIN(X.price) AS lo, MAX(X.price) AS hi, AVG(X.price) AS av, COUNT(*) AS n, COUNT(X.*) AS nx, MAX(price) AS top, COUNT(DISTINCT X.qty) AS dq
  PATTERN (S X{3,} E)
  DEFINE X AS X.price > 10 OR X.price IS NULL, E AS E.price < 20
) AS m;
--- rows
sym | c | s | lo | hi | av | n | nx | top | dq
ash | 9 | 16 | 14 | 25 | 19.77777777777778 | 11 | 9 | 25 | 3
