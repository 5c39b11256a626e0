-- A value for a computed column.
--- use market
--- sql
CREATE TABLE t (a INT, b AS a + 1) WITH ('connector' = 'print');
INSERT INTO t (a, b) SELECT price, 1 FROM bids;
--- error
LV-1018
column b of table t is computed or virtual and cannot be written
line 2, column 19
hint: leave it out of the list, and its value out of the query
