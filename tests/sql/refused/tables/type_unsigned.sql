-- A type of MySQL without a sign.
--- use market
--- sql
CREATE TABLE t (a INT UNSIGNED) WITH ('connector' = 'print');
--- error
LV-1001
expected , or ), found UNSIGNED
line 1, column 23
hint: there are no unsigned types: take the next larger one, such as BIGINT for INT UNSIGNED
