-- Two watermarks.
--- use market
--- sql
CREATE TABLE t (ts TIMESTAMP(3), WATERMARK FOR ts AS ts, WATERMARK FOR ts AS ts) WITH ('connector' = 'print');
--- error
LV-1010
a table has one WATERMARK, and this is another
line 1, column 58
