-- A computed column of another one.
--- use market
--- sql
CREATE TABLE t (a INT, b AS a + 1, c AS b + 1) WITH ('connector' = 'print');
--- error
LV-1003
column b does not exist
line 1, column 41
hint: a computed column cannot refer to another computed column; repeat its expression
