-- An array of nothing.
--- use market
--- sql
CREATE TABLE t (a ARRAY) WITH ('connector' = 'print');
--- error
LV-1001
expected <, found )
line 1, column 24
hint: say what is in it, such as ARRAY<INT>, MAP<STRING, INT> or ROW<a INT, b STRING>
