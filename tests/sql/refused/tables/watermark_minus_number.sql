-- A watermark that takes a number from a time.
--- use market
--- sql
CREATE TABLE t (ts TIMESTAMP(3), WATERMARK FOR ts AS ts - 5) WITH ('connector' = 'print');
--- error
LV-1008
TIMESTAMP(3) - BIGINT cannot be computed
line 1, column 54
hint: add or take away an interval, such as INTERVAL '5' SECOND
