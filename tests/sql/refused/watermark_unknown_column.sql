-- A watermark on a column that does not exist.
--- sql
CREATE TABLE t (ts TIMESTAMP(3), WATERMARK FOR tz AS tz) WITH ('connector' = 'filesystem', 'path' = 'x', 'format' = 'json');
--- error
LV-10
tz
line 1, column 48
