-- The last three rows of a shop.
--- use sales
--- sql
SELECT id, SUM(amount) OVER (PARTITION BY shop ORDER BY ts ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS s, COUNT(amount) OVER (PARTITION BY shop ORDER BY ts ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS n FROM sales;
--- rows
id | s | n
5 | 3 | 1
9 | 9 | 2
4 | 5 | 1
1 | 10 | 2
7 | 18 | 3
3 | 22 | 3
11 | 26 | 3
2 | 7 | 1
8 | 14 | 2
12 | 16 | 3
6 | 9 | 2
10 | 4 | 1
