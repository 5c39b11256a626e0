-- A frame that begins behind the row, and one that ends before it.
--- use sales
--- sql
SELECT id, SUM(id) OVER (ORDER BY amount RANGE BETWEEN 1 FOLLOWING AND 3 FOLLOWING) AS behind, SUM(id) OVER (ORDER BY amount RANGE BETWEEN 3 PRECEDING AND 1 PRECEDING) AS before FROM sales WHERE amount IS NOT NULL;
--- rows
id | behind | before
12 | 20 | NULL
5 | 24 | 12
10 | 24 | 17
1 | 26 | 27
4 | 26 | 27
9 | 31 | 20
2 | 21 | 24
8 | 21 | 24
7 | 14 | 24
3 | NULL | 26
11 | NULL | 26
