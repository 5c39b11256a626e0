-- The fields of a ROW as in Spark.
--- use market
--- sql
CREATE TABLE t (a ROW<x: INT>) WITH ('connector' = 'print');
--- error
LV-1001
expected a type, found :
line 1, column 24
hint: fields are written ROW<name TYPE, …>
