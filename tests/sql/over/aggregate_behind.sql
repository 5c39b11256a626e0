-- An aggregation of values with OVER.
--- use sales
--- sql
SELECT shop, MAX(s) AS most, SUM(back) AS b FROM (SELECT shop, SUM(amount) OVER (PARTITION BY shop ORDER BY ts) AS s, LEAD(amount) OVER (PARTITION BY shop ORDER BY ts) AS back FROM sales) GROUP BY shop;
--- rows
shop | most | b
NULL | 9 | 6
a | 36 | 31
b | 16 | 9
c | 4 | NULL
