-- Without an aggregate.
--- use sales
--- sql
SELECT shop, item FROM sales GROUP BY CUBE (shop, item);
--- rows
shop | item
NULL | ink
NULL | pen
a | NULL
a | cup
a | ink
a | pen
b | cup
b | ink
b | pen
c | cup
NULL | NULL
a | NULL
b | NULL
c | NULL
NULL | NULL
NULL | cup
NULL | ink
NULL | pen
NULL | NULL
