-- How long ago the row before was, by its number of seconds.
--- use sales
--- sql
SELECT id, amount - LAG(amount) OVER (ORDER BY id) AS more FROM sales WHERE amount IS NOT NULL;
--- rows
id | more
1 | NULL
2 | 2
3 | 2
4 | -4
5 | -2
7 | 5
8 | -1
9 | -1
10 | -2
11 | 5
12 | -7
