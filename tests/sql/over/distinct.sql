-- Distinct values up to each row, in event time.
--- use sales
--- sql
SELECT id, COUNT(DISTINCT item) OVER (ORDER BY ts) AS items, COUNT(DISTINCT amount) OVER (PARTITION BY shop ORDER BY ts) AS amounts FROM sales;
--- rows
id | items | amounts
1 | 3 | 1
2 | 2 | 1
3 | 3 | 3
4 | 1 | 1
5 | 3 | 1
6 | 3 | 2
7 | 3 | 2
8 | 3 | 1
9 | 3 | 2
10 | 3 | 1
11 | 3 | 3
12 | 3 | 2
