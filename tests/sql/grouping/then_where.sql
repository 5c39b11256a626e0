-- A condition behind the sets.
--- use sales
--- sql
SELECT shop, item, n FROM (SELECT shop, item, COUNT(*) AS n FROM sales GROUP BY ROLLUP (shop, item)) WHERE shop = 'a' OR item IS NULL;
--- rows
shop | item | n
a | NULL | 1
a | cup | 1
a | ink | 1
a | pen | 2
NULL | NULL | 2
a | NULL | 5
b | NULL | 4
c | NULL | 1
NULL | NULL | 12
