-- A window with a name.
--- use sales
--- sql
SELECT id, SUM(amount) OVER w AS s, COUNT(*) OVER w AS n FROM sales WINDOW w AS (PARTITION BY shop ORDER BY ts);
--- rows
id | s | n
5 | 3 | 1
9 | 9 | 2
4 | 5 | 1
1 | 10 | 2
7 | 18 | 3
3 | 27 | 4
11 | 36 | 5
2 | 7 | 1
8 | 14 | 2
12 | 16 | 3
6 | 16 | 4
10 | 4 | 1
