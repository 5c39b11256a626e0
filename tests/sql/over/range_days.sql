-- A distance in days; those without a day have only each other.
--- use sales
--- sql
SELECT id, COUNT(*) OVER (ORDER BY `day` RANGE BETWEEN INTERVAL '1' DAY PRECEDING AND CURRENT ROW) AS n FROM sales;
--- rows
id | n
2 | 2
4 | 2
3 | 4
8 | 4
1 | 4
10 | 4
6 | 4
11 | 4
7 | 3
9 | 2
5 | 2
12 | 2
