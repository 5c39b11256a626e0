-- Over the results of an aggregation, which change.
--- use sales
--- sql
SELECT shop, s, SUM(s) OVER (ORDER BY s) AS running, LAG(shop) OVER (ORDER BY s) AS before FROM (SELECT shop, SUM(amount) AS s FROM sales GROUP BY shop);
--- rows
shop | s | running | before
c | 4 | 4 | NULL
NULL | 9 | 13 | c
b | 16 | 29 | NULL
a | 36 | 65 | b
