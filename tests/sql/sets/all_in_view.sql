-- In a view, joined with its own table.
--- use sales
--- sql
CREATE VIEW v AS SELECT shop, item FROM sales EXCEPT ALL SELECT shop, item FROM sales WHERE amount > 6;
SELECT shop, COUNT(*) AS n FROM v GROUP BY shop;
--- rows
shop | n
a | 2
b | 2
NULL | 2
c | 1
