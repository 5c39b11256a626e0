-- WATERMARK without FOR.
--- use market
--- sql
CREATE TABLE t (ts TIMESTAMP(3), WATERMARK ts AS ts) WITH ('connector' = 'print');
--- error
LV-1001
expected FOR, found ts
line 1, column 44
