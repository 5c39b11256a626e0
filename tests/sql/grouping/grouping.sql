-- Which columns a row is not grouped by.
--- use sales
--- sql
SELECT shop, item, GROUPING(shop) AS a, GROUPING(item) AS b, GROUPING(shop, item) AS c, GROUPING_ID(item, shop) AS d, COUNT(*) AS n FROM sales GROUP BY CUBE (shop, item);
--- rows
shop | item | a | b | c | d | n
NULL | ink | 0 | 0 | 0 | 0 | 1
NULL | pen | 0 | 0 | 0 | 0 | 1
a | NULL | 0 | 0 | 0 | 0 | 1
a | cup | 0 | 0 | 0 | 0 | 1
a | ink | 0 | 0 | 0 | 0 | 1
a | pen | 0 | 0 | 0 | 0 | 2
b | cup | 0 | 0 | 0 | 0 | 1
b | ink | 0 | 0 | 0 | 0 | 2
b | pen | 0 | 0 | 0 | 0 | 1
c | cup | 0 | 0 | 0 | 0 | 1
NULL | NULL | 0 | 1 | 1 | 2 | 2
a | NULL | 0 | 1 | 1 | 2 | 5
b | NULL | 0 | 1 | 1 | 2 | 4
c | NULL | 0 | 1 | 1 | 2 | 1
NULL | NULL | 1 | 0 | 2 | 1 | 1
NULL | cup | 1 | 0 | 2 | 1 | 3
NULL | ink | 1 | 0 | 2 | 1 | 4
NULL | pen | 1 | 0 | 2 | 1 | 4
NULL | NULL | 1 | 1 | 3 | 3 | 12
