-- Without ORDER BY all rows of the partition count.
--- use sales
--- sql
SELECT id, SUM(amount) OVER (PARTITION BY shop) AS s, COUNT(*) OVER (PARTITION BY shop) AS n, COUNT(*) OVER () AS all_ FROM sales;
--- rows
id | s | n | all_
5 | 9 | 2 | 12
9 | 9 | 2 | 12
1 | 36 | 5 | 12
3 | 36 | 5 | 12
4 | 36 | 5 | 12
7 | 36 | 5 | 12
11 | 36 | 5 | 12
2 | 16 | 4 | 12
6 | 16 | 4 | 12
8 | 16 | 4 | 12
12 | 16 | 4 | 12
10 | 4 | 1 | 12
