-- What the last four seconds had, whatever the number of rows.
--- use sales
--- sql
SELECT id, COUNT(*) OVER w AS n, SUM(amount) OVER w AS s FROM sales WINDOW w AS (ORDER BY ts RANGE BETWEEN INTERVAL '4' SECOND PRECEDING AND CURRENT ROW);
--- rows
id | n | s
4 | 1 | 5
2 | 2 | 12
8 | 3 | 19
5 | 4 | 22
1 | 5 | 27
12 | 5 | 24
10 | 4 | 14
7 | 5 | 22
3 | 5 | 28
9 | 5 | 29
11 | 5 | 36
6 | 5 | 32
