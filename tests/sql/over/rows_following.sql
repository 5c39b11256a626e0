-- Only rows behind; the last one has none.
--- use sales
--- sql
SELECT id, SUM(amount) OVER (ORDER BY ts ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS s FROM sales;
--- rows
id | s
4 | 60
2 | 53
8 | 46
5 | 43
1 | 38
12 | 36
10 | 32
7 | 24
3 | 15
9 | 9
11 | NULL
6 | NULL
