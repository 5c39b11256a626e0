-- Sums of shops and items, of shops, and of all.
--- use sales
--- sql
SELECT shop, item, COUNT(*) AS n, SUM(amount) AS s FROM sales GROUP BY ROLLUP (shop, item);
--- rows
shop | item | n | s
NULL | ink | 1 | 6
NULL | pen | 1 | 3
a | NULL | 1 | 8
a | cup | 1 | 5
a | ink | 1 | 9
a | pen | 2 | 14
b | cup | 1 | NULL
b | ink | 2 | 9
b | pen | 1 | 7
c | cup | 1 | 4
NULL | NULL | 2 | 9
a | NULL | 5 | 36
b | NULL | 4 | 16
c | NULL | 1 | 4
NULL | NULL | 12 | 65
