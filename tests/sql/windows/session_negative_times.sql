-- A session over the turn of the epoch, and one of a NULL key.
--- use timed
--- sql
SELECT k, window_start, window_end, COUNT(*) AS n
FROM TABLE(SESSION(TABLE timed PARTITION BY k, DESCRIPTOR(ts), INTERVAL '4' SECOND))
GROUP BY k, window_start, window_end;
--- rows
k | window_start | window_end | n
a | 1969-12-31 23:59:58 | 1970-01-01 00:00:04 | 2
a | 1970-01-01 00:00:05 | 1970-01-01 00:00:09 | 1
b | 1969-12-31 23:59:51 | 1969-12-31 23:59:55 | 1
NULL | 1969-12-31 23:59:59.999 | 1970-01-01 00:00:03.999 | 1
NULL | 1970-01-01 00:00:09 | 1970-01-01 00:00:13 | 1
