-- NULL is a key like others.
--- use timed
--- sql
SELECT k, window_start, window_time, SUM(v) AS s FROM TABLE(COUNT_TUMBLE(TABLE timed PARTITION BY k ORDER BY ts, SIZE => 2)) GROUP BY k, window_start, window_time;
--- rows
k | window_start | window_time | s
NULL | 1 | 1970-01-01 00:00:09 | 4
a | 1 | 1970-01-01 00:00:00 | 4
