-- A map without a type for values.
--- use market
--- sql
CREATE TABLE t (a MAP<STRING>) WITH ('connector' = 'print');
--- error
LV-1001
expected ,, found >
line 1, column 29
hint: a map has a type for keys and one for values: MAP<STRING, INT>
