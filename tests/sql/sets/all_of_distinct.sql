-- Of rows that are there once.
--- use sales
--- sql
SELECT DISTINCT shop FROM sales INTERSECT ALL SELECT shop FROM sales WHERE id > 6;
--- rows
shop
a
b
NULL
c
