-- Rows without a value in the order come last, or first if it says so.
--- use sales
--- sql
SELECT id, ROW_NUMBER() OVER (ORDER BY amount, id) AS last, ROW_NUMBER() OVER (ORDER BY amount NULLS FIRST, id) AS first FROM sales;
--- rows
id | last | first
12 | 1 | 2
5 | 2 | 3
10 | 3 | 4
1 | 4 | 5
4 | 5 | 6
9 | 6 | 7
2 | 7 | 8
8 | 8 | 9
7 | 9 | 10
3 | 10 | 11
11 | 11 | 12
6 | 12 | 1
