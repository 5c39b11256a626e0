-- A column without a type.
--- use market
--- sql
CREATE TABLE t (a INT, b) WITH ('connector' = 'print');
--- error
LV-1001
column b has no type
line 1, column 24
hint: write it behind the name, such as b STRING
