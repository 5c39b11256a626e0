-- A watermark on a text.
--- use market
--- sql
CREATE TABLE t (ts STRING, WATERMARK FOR ts AS ts - INTERVAL '5' SECOND) WITH ('connector' = 'print');
--- error
LV-1013
the watermark column ts has the type STRING, and must be TIMESTAMP(p) or TIMESTAMP_LTZ(p)
line 1, column 42
hint: declare a computed column, such as ts AS TO_TIMESTAMP_LTZ(epoch_ms, 3), and use that
