-- A key of a column that does not exist.
--- use market
--- sql
CREATE TABLE t (aa INT, PRIMARY KEY (a) NOT ENFORCED) WITH ('connector' = 'print');
--- error
LV-1003
column a does not exist in this table
line 1, column 38
hint: did you mean aa?
