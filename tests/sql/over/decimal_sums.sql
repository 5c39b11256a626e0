-- Sums of decimals within sliding frames.
--- use sales
--- sql
SELECT id, SUM(price) OVER (ORDER BY ts ROWS 3 PRECEDING) AS s FROM sales;
--- rows
id | s
4 | 10.00
2 | 12.25
8 | 11.25
5 | 14.35
1 | 5.85
12 | 5.80
10 | 11.20
7 | 8.10
3 | 7.35
9 | 7.40
11 | 12.99
6 | 13.04
