-- A watermark on a column that is no time.
--- sql
CREATE TABLE t (a INT, WATERMARK FOR a AS a - 1) WITH ('connector' = 'filesystem', 'path' = 'x', 'format' = 'json');
--- error
LV-1013
line 1
TIMESTAMP
