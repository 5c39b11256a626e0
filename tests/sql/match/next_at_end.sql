-- Behind the last row of a partition there is none, and NEXT is NULL.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY ts
  MEASURES A.id AS id, NEXT(A.id, 2) AS second
  PATTERN (A)
  DEFINE A AS NEXT(price) IS NULL
) AS m;
--- rows
sym | id | second
ash | 23 | NULL
elm | 26 | NULL
oak | 2 | 8
oak | 28 | NULL
