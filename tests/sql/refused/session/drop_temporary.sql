-- DROP of a table that is temporary.
--- use market
--- sql
CREATE TEMPORARY TABLE t (a INT) WITH ('connector' = 'print');
DROP TABLE t;
--- error
LV-1018
t is a temporary table
line 2, column 12
hint: use DROP TEMPORARY TABLE
