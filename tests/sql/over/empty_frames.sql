-- Frames without rows: aggregates are NULL, COUNT is 0.
--- use sales
--- sql
SELECT id, SUM(amount) OVER w AS s, COUNT(amount) OVER w AS n, MIN(item) OVER w AS m, FIRST_VALUE(item) OVER w AS f FROM sales WINDOW w AS (PARTITION BY shop ORDER BY id ROWS BETWEEN 5 FOLLOWING AND 6 FOLLOWING);
--- rows
id | s | n | m | f
5 | NULL | 0 | NULL | NULL
9 | NULL | 0 | NULL | NULL
1 | NULL | 0 | NULL | NULL
3 | NULL | 0 | NULL | NULL
4 | NULL | 0 | NULL | NULL
7 | NULL | 0 | NULL | NULL
11 | NULL | 0 | NULL | NULL
2 | NULL | 0 | NULL | NULL
6 | NULL | 0 | NULL | NULL
8 | NULL | 0 | NULL | NULL
12 | NULL | 0 | NULL | NULL
10 | NULL | 0 | NULL | NULL
