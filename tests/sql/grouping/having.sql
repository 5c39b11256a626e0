-- Conditions on sets and on aggregates.
--- use sales
--- sql
SELECT shop, item, COUNT(*) AS n FROM sales GROUP BY CUBE (shop, item) HAVING GROUPING(item) = 0 AND COUNT(*) > 1;
--- rows
shop | item | n
a | pen | 2
b | ink | 2
NULL | cup | 3
NULL | ink | 4
NULL | pen | 4
