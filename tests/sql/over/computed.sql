-- Expressions as argument, partition and order.
--- use sales
--- sql
SELECT id, SUM(amount * 2 + 1) OVER (PARTITION BY UPPER(item) ORDER BY 0 - id) AS s FROM sales;
--- rows
id | s
7 | 17
10 | 9
6 | 9
4 | 20
12 | 5
9 | 18
3 | 37
2 | 52
11 | 19
8 | 34
5 | 41
1 | 52
