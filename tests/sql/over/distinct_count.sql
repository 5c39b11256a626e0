-- Distinct values of running and of sliding frames.
--- use sales
--- sql
SELECT id, COUNT(DISTINCT item) OVER (PARTITION BY shop ORDER BY ts) AS n FROM sales;
--- rows
id | n
1 | 2
2 | 1
3 | 3
4 | 1
5 | 1
6 | 3
7 | 2
8 | 2
9 | 2
10 | 1
11 | 3
12 | 2
