-- Averages of integers and of decimals.
--- use sales
--- sql
SELECT id, AVG(amount) OVER (PARTITION BY item ORDER BY ts ROWS 2 PRECEDING) AS a, AVG(price) OVER (PARTITION BY item ORDER BY ts ROWS 2 PRECEDING) AS p FROM sales;
--- rows
id | a | p
7 | 8.0 | NULL
4 | 5.0 | 10.000000
10 | 4.5 | 7.200000
6 | 4.5 | 4.816666
2 | 7.0 | 2.250000
12 | 4.5 | 2.225000
3 | 6.0 | 1.733333
9 | 5.666666666666667 | 1.733333
8 | 7.0 | -1.000000
5 | 5.0 | 1.050000
1 | 5.0 | 1.200000
11 | 5.666666666666667 | 4.863333
