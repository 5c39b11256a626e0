-- A table without WITH.
--- use market
--- sql
CREATE TABLE t (a INT);
--- error
LV-1006
table t has no option 'connector'
line 1, column 14
hint: add 'connector' = '…' to WITH
