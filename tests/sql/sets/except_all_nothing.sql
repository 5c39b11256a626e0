-- Of nothing, and without anything.
--- use sales
--- sql
SELECT shop FROM sales WHERE id < 4 EXCEPT ALL SELECT shop FROM sales WHERE id > 100;
--- rows
shop
a
a
b
