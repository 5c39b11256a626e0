-- A precision beyond 38.
--- use market
--- sql
CREATE TABLE t (a DECIMAL(50, 2)) WITH ('connector' = 'print');
--- error
LV-1012
DECIMAL(50, 2): the precision is between 1 and 38, the scale not above it
line 1, column 19
