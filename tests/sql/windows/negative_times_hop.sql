-- HOP over the turn of the epoch.
--- use timed
--- sql
SELECT k, window_start, COUNT(v) AS n
FROM TABLE(HOP(TABLE timed, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '10' SECOND))
GROUP BY k, window_start, window_end;
--- rows
k | window_start | n
b | 1969-12-31 23:59:45 | 1
b | 1969-12-31 23:59:50 | 1
a | 1969-12-31 23:59:50 | 1
a | 1969-12-31 23:59:55 | 2
a | 1970-01-01 00:00:00 | 2
a | 1970-01-01 00:00:05 | 1
NULL | 1969-12-31 23:59:50 | 1
NULL | 1969-12-31 23:59:55 | 1
NULL | 1970-01-01 00:00:00 | 0
NULL | 1970-01-01 00:00:05 | 0
