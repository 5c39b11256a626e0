-- In a view.
--- use sales
--- sql
CREATE VIEW running AS SELECT id, shop, SUM(amount) OVER (PARTITION BY shop ORDER BY ts) AS s FROM sales;
SELECT shop, MAX(s) AS s FROM running GROUP BY shop;
--- rows
shop | s
NULL | 9
a | 36
b | 16
c | 4
