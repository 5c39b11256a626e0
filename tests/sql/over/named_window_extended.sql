-- A WINDOW clause whose windows are used more than once.
--- use keyed
--- sql
SELECT id, SUM(v) OVER a AS s, COUNT(*) OVER b AS n, MAX(v) OVER a AS m FROM keyed WINDOW a AS (PARTITION BY k ORDER BY id), b AS (ORDER BY id DESC);
--- rows
id | s | n | m
7 | 7 | 3 | 7
8 | 15 | 2 | 8
1 | 10 | 9 | 10
3 | 40 | 7 | 30
6 | 45 | 4 | 30
2 | 20 | 8 | 20
5 | 40 | 5 | 20
4 | NULL | 6 | NULL
9 | 1 | 1 | 1
