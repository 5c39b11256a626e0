-- FIRST and LAST with offsets, of one variable and of all rows; NULL where there is no such row.
--- use ticks
--- sql
SELECT * FROM ticks MATCH_RECOGNIZE (
  PARTITION BY sym ORDER BY ts
  MEASURES FIRST(X.id, 1) AS f1, LAST(X.id, 1) AS l1, FIRST(id, 2) AS r2, LAST(X.id, 3) AS l3, PREV(LAST(X.id), 1) AS p, PREV(FIRST(X.id), 1) AS pf, X.id AS x
  PATTERN (L X{1,3} H)
  DEFINE L AS price < 20, H AS price >= 20
) AS m;
--- rows
sym | f1 | l1 | r2 | l3 | p | pf | x
ash | 20 | 20 | 20 | NULL | 20 | 16 | 21
ash | 7 | 7 | 7 | NULL | 7 | 1 | 10
