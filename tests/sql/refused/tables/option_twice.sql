-- An option that is given twice.
--- use market
--- sql
CREATE TABLE t (a INT) WITH ('connector' = 'print', 'connector' = 'blackhole');
--- error
LV-1010
option 'connector' is given twice
line 1, column 53
