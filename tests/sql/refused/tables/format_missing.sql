-- A table of files without a format.
--- use market
--- sql
CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'path' = '/tmp/x');
--- error
LV-1006
table 't': the option 'format' is missing
line 1, column 14
hint: add 'format' = '…' to the WITH clause
