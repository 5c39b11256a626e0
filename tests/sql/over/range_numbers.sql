-- A distance between numbers, in descending order.
--- use sales
--- sql
SELECT id, amount, COUNT(*) OVER (ORDER BY amount DESC RANGE BETWEEN 2 PRECEDING AND 1 FOLLOWING) AS n FROM sales;
--- rows
id | amount | n
6 | NULL | 1
3 | 9 | 3
11 | 9 | 3
7 | 8 | 5
2 | 7 | 6
8 | 7 | 6
9 | 6 | 6
1 | 5 | 6
4 | 5 | 6
10 | 4 | 5
5 | 3 | 5
12 | 2 | 3
