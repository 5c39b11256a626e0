-- A table that is not closed.
--- use market
--- sql
CREATE TABLE t (a INT, b INT WITH ('connector' = 'print');
--- error
LV-1001
expected , or ), found WITH
line 1, column 30
hint: a ( in front of it is not closed
