-- A column that is grouped by and aggregated.
--- use sales
--- sql
SELECT shop, amount, SUM(amount) AS s, COUNT(amount) AS n FROM sales GROUP BY ROLLUP (shop, amount);
--- rows
shop | amount | s | n
NULL | 3 | 3 | 1
NULL | 6 | 6 | 1
a | 5 | 10 | 2
a | 8 | 8 | 1
a | 9 | 18 | 2
b | NULL | NULL | 0
b | 2 | 2 | 1
b | 7 | 14 | 2
c | 4 | 4 | 1
NULL | NULL | 9 | 2
a | NULL | 36 | 5
b | NULL | 16 | 3
c | NULL | 4 | 1
NULL | NULL | 65 | 11
