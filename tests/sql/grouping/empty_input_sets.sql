-- Without the set without columns there is none.
--- use sales
--- sql
SELECT shop, item, COUNT(*) AS n FROM sales WHERE id > 100 GROUP BY GROUPING SETS ((shop), (item));
--- rows
shop | item | n

