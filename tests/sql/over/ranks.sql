-- Three kinds of numbers side by side.
--- use sales
--- sql
SELECT id, amount, RANK() OVER (ORDER BY amount DESC) AS r, DENSE_RANK() OVER (ORDER BY amount DESC) AS d, ROW_NUMBER() OVER (ORDER BY amount DESC, id) AS n FROM sales;
--- rows
id | amount | r | d | n
6 | NULL | 1 | 1 | 1
3 | 9 | 2 | 2 | 2
11 | 9 | 2 | 2 | 3
7 | 8 | 4 | 3 | 4
2 | 7 | 5 | 4 | 5
8 | 7 | 5 | 4 | 6
9 | 6 | 7 | 5 | 7
1 | 5 | 8 | 6 | 8
4 | 5 | 8 | 6 | 9
10 | 4 | 10 | 7 | 10
5 | 3 | 11 | 8 | 11
12 | 2 | 12 | 9 | 12
