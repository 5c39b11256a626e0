-- Running sums over groups that change.
--- use sales
--- sql
SELECT shop, COUNT(*) AS n, SUM(COUNT(*)) OVER (ORDER BY shop) AS s, RANK() OVER (ORDER BY COUNT(*) DESC) AS r FROM sales GROUP BY shop;
--- rows
shop | n | s | r
a | 5 | 5 | 1
b | 4 | 9 | 2
c | 1 | 10 | 4
NULL | 2 | 12 | 3
