-- A join of sums of two levels.
--- use sales
--- sql
SELECT a.shop, a.item, a.n, b.n AS of_ FROM (SELECT shop, item, COUNT(*) AS n FROM sales GROUP BY GROUPING SETS ((shop, item), (shop))) AS a
JOIN (SELECT shop, COUNT(*) AS n FROM sales GROUP BY ROLLUP (shop)) AS b ON a.shop = b.shop WHERE a.n > 1;
--- rows
shop | item | n | of_
a | NULL | 5 | 5
a | pen | 2 | 5
b | NULL | 4 | 4
b | ink | 2 | 4
