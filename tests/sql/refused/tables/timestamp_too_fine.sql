-- More digits than there are.
--- use market
--- sql
CREATE TABLE t (a TIMESTAMP(12)) WITH ('connector' = 'print');
--- error
LV-1012
precision 12 is not between 0 and 9
line 1, column 29
