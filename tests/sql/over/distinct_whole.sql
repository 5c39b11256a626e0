-- Distinct values of a whole partition.
--- use sales
--- sql
SELECT id, COUNT(DISTINCT item) OVER (PARTITION BY shop) AS items, SUM(DISTINCT amount) OVER (PARTITION BY shop) AS amounts FROM sales;
--- rows
id | items | amounts
1 | 3 | 22
2 | 3 | 9
3 | 3 | 22
4 | 3 | 22
5 | 2 | 9
6 | 3 | 9
7 | 3 | 22
8 | 3 | 9
9 | 2 | 9
10 | 1 | 4
11 | 3 | 22
12 | 3 | 9
