-- Each row as often as both sides have it; NULL is equal to NULL.
--- use sales
--- sql
SELECT shop FROM sales WHERE id < 9 INTERSECT ALL SELECT shop FROM sales WHERE id > 4;
--- rows
shop
a
a
b
b
b
NULL
