-- Each row as often as the left side has it more often.
--- use sales
--- sql
SELECT shop FROM sales EXCEPT ALL SELECT shop FROM sales WHERE id > 8;
--- rows
shop
a
a
a
a
b
b
b
NULL
