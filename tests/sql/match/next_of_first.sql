-- NEXT of FIRST and LAST goes on from that row, past the end of the match.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY ts
  MEASURES NEXT(FIRST(A.id)) AS f, NEXT(LAST(A.id), 2) AS l
  PATTERN (A{2})
  DEFINE A AS price >= 20
) AS m;
--- rows
sym | f | l
ash | 13 | 18
ash | 22 | NULL
elm | 6 | 12
elm | 12 | 17
elm | 17 | 24
elm | 24 | 26
elm | 26 | NULL
