-- Columns of a table without a comma between.
--- use market
--- sql
CREATE TABLE t (a INT b INT) WITH ('connector' = 'print');
--- error
LV-1001
expected , or ), found b
line 1, column 23
hint: a comma or ) may be missing in front of it
