-- The same from the greatest on; NULL is first then.
--- use sales
--- sql
SELECT id, amount, COUNT(*) OVER w AS n, SUM(id) OVER w AS s FROM sales WINDOW w AS (ORDER BY amount DESC RANGE BETWEEN 2 PRECEDING AND 1 FOLLOWING);
--- rows
id | amount | n | s
6 | NULL | 1 | 6
3 | 9 | 3 | 21
11 | 9 | 3 | 21
7 | 8 | 5 | 31
2 | 7 | 6 | 40
8 | 7 | 6 | 40
9 | 6 | 6 | 31
1 | 5 | 6 | 34
4 | 5 | 6 | 34
10 | 4 | 5 | 29
5 | 3 | 5 | 32
12 | 2 | 3 | 27
