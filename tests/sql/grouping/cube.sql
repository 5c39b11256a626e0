-- Each choice of columns.
--- use sales
--- sql
SELECT shop, item, COUNT(*) AS n, MAX(id) AS last FROM sales GROUP BY CUBE (shop, item);
--- rows
shop | item | n | last
NULL | ink | 1 | 9
NULL | pen | 1 | 5
a | NULL | 1 | 7
a | cup | 1 | 4
a | ink | 1 | 3
a | pen | 2 | 11
b | cup | 1 | 6
b | ink | 2 | 12
b | pen | 1 | 8
c | cup | 1 | 10
NULL | NULL | 2 | 9
a | NULL | 5 | 11
b | NULL | 4 | 12
c | NULL | 1 | 10
NULL | NULL | 1 | 7
NULL | cup | 3 | 10
NULL | ink | 4 | 12
NULL | pen | 4 | 11
NULL | NULL | 12 | 12
