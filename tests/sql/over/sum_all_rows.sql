-- Without ORDER BY all rows of the partition count.
--- use sales
--- sql
SELECT id, SUM(amount) OVER (PARTITION BY shop) AS s, COUNT(*) OVER () AS n FROM sales;
--- rows
id | s | n
5 | 9 | 12
9 | 9 | 12
1 | 36 | 12
3 | 36 | 12
4 | 36 | 12
7 | 36 | 12
11 | 36 | 12
2 | 16 | 12
6 | 16 | 12
8 | 16 | 12
12 | 16 | 12
10 | 4 | 12
