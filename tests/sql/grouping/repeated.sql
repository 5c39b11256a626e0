-- A set that is there twice gives its rows twice.
--- use sales
--- sql
SELECT shop, COUNT(*) AS n, GROUPING(shop) AS g FROM sales GROUP BY GROUPING SETS ((shop), (shop), (), ());
--- rows
shop | n | g
NULL | 2 | 0
a | 5 | 0
b | 4 | 0
c | 1 | 0
NULL | 2 | 0
a | 5 | 0
b | 4 | 0
c | 1 | 0
NULL | 12 | 1
NULL | 12 | 1
