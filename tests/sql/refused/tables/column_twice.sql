-- Two columns of one name.
--- use market
--- sql
CREATE TABLE t (a INT, b INT, a STRING) WITH ('connector' = 'print');
--- error
LV-1010
column a is declared twice
line 1, column 31
