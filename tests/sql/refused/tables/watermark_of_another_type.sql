-- A watermark that is a number.
--- use market
--- sql
CREATE TABLE t (ts TIMESTAMP(3), a INT, WATERMARK FOR ts AS a) WITH ('connector' = 'print');
--- error
LV-1013
the watermark expression has the type INT, and must be a timestamp as ts is
line 1, column 61
hint: such as ts - INTERVAL '5' SECOND
