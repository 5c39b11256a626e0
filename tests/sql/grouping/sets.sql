-- Sets that are listed, without the one of all.
--- use sales
--- sql
SELECT item, shop, SUM(amount) AS s FROM sales GROUP BY GROUPING SETS ((shop, item), (shop), item);
--- rows
item | shop | s
ink | NULL | 6
pen | NULL | 3
NULL | a | 8
cup | a | 5
ink | a | 9
pen | a | 14
cup | b | NULL
ink | b | 9
pen | b | 7
cup | c | 4
NULL | NULL | 9
NULL | a | 36
NULL | b | 16
NULL | c | 4
NULL | NULL | 8
cup | NULL | 9
ink | NULL | 24
pen | NULL | 24
