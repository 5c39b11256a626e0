-- An aggregation of what OVER gave.
--- use sales
--- sql
SELECT shop, MAX(d) AS longest FROM (SELECT shop, amount - LAG(amount) OVER (PARTITION BY shop ORDER BY ts) AS d FROM sales) GROUP BY shop;
--- rows
shop | longest
NULL | 3
a | 3
b | 0
c | NULL
