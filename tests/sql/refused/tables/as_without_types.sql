-- A list of columns that the query does not have.
--- use market
--- sql
CREATE TABLE t (prise) WITH ('connector' = 'print') AS SELECT price FROM bids;
--- error
LV-1003
column prise is not among those of the query
line 1, column 17
hint: did you mean price?
