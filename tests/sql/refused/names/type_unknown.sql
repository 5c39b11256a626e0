-- A mistyped type.
--- use market
--- sql
CREATE TABLE t (a BIGNIT) WITH ('connector' = 'print');
--- error
LV-1012
BIGNIT is not a type
line 1, column 19
hint: did you mean BIGINT?
