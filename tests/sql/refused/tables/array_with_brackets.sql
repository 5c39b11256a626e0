-- An array as in PostgreSQL.
--- use market
--- sql
CREATE TABLE t (a INT[]) WITH ('connector' = 'print');
--- error
LV-1001
expected , or ), found [
line 1, column 22
hint: arrays are written ARRAY<INT>
