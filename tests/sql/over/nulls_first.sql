-- NULL first in the order.
--- use sales
--- sql
SELECT id, COUNT(*) OVER (ORDER BY amount NULLS FIRST) AS n, LAG(id) OVER (ORDER BY amount NULLS FIRST, id) AS before FROM sales;
--- rows
id | n | before
6 | 1 | NULL
12 | 2 | 6
5 | 3 | 12
10 | 4 | 5
1 | 6 | 10
4 | 6 | 1
9 | 7 | 4
2 | 9 | 9
8 | 9 | 2
7 | 10 | 8
3 | 12 | 7
11 | 12 | 3
