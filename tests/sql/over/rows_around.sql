-- Rows before and behind.
--- use sales
--- sql
SELECT id, MIN(amount) OVER (ORDER BY ts ROWS BETWEEN 1 PRECEDING AND 2 FOLLOWING) AS m FROM sales;
--- rows
id | m
4 | 5
2 | 3
8 | 3
5 | 2
1 | 2
12 | 2
10 | 2
7 | 4
3 | 6
9 | 6
11 | 6
6 | 9
