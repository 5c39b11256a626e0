-- Rows that are equal in order see each other in a range, and their place in rows.
--- use sales
--- sql
SELECT id, amount, COUNT(*) OVER (ORDER BY amount) AS peers, SUM(amount) OVER (ORDER BY amount RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS rest FROM sales;
--- rows
id | amount | peers | rest
12 | 2 | 1 | 65
5 | 3 | 2 | 63
10 | 4 | 3 | 60
1 | 5 | 5 | 56
4 | 5 | 5 | 56
9 | 6 | 6 | 46
2 | 7 | 8 | 40
8 | 7 | 8 | 40
7 | 8 | 9 | 26
3 | 9 | 11 | 18
11 | 9 | 11 | 18
6 | NULL | 12 | NULL
