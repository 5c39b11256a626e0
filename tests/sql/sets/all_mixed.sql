-- With UNION ALL and with sets that count nothing; INTERSECT binds first.
--- use sales
--- sql
SELECT shop FROM sales UNION ALL SELECT item FROM sales EXCEPT ALL SELECT shop FROM sales WHERE id < 6 INTERSECT SELECT shop FROM sales;
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
NULL
c
pen
pen
pen
pen
ink
ink
ink
ink
cup
cup
cup
