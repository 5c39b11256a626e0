-- A type of MySQL.
--- use market
--- sql
CREATE TABLE t (a DATETIME) WITH ('connector' = 'print');
--- error
LV-1012
DATETIME is not a type
line 1, column 19
hint: use TIMESTAMP(3)
