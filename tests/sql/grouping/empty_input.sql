-- The set without columns has a row for no input.
--- use sales
--- sql
SELECT shop, item, COUNT(*) AS n, SUM(amount) AS s, GROUPING(shop) AS g FROM sales WHERE id > 100 GROUP BY ROLLUP (shop, item);
--- rows
shop | item | n | s | g
NULL | NULL | 0 | NULL | 1
