-- A distance between decimals.
--- use sales
--- sql
SELECT id, COUNT(*) OVER (ORDER BY price RANGE BETWEEN 1 PRECEDING AND CURRENT ROW) AS n FROM sales;
--- rows
id | n
8 | 1
6 | 1
3 | 2
1 | 2
12 | 2
2 | 4
9 | 4
5 | 4
10 | 1
11 | 1
4 | 2
7 | 1
