-- Windows before 1970 begin where all others do.
--- use timed
--- sql
SELECT window_start, window_end, COUNT(*) AS n, SUM(v) AS s
FROM TABLE(TUMBLE(TABLE timed, DESCRIPTOR(ts), INTERVAL '7' SECOND))
GROUP BY window_start, window_end;
--- rows
window_start | window_end | n | s
1969-12-31 23:59:46 | 1969-12-31 23:59:53 | 1 | 2
1969-12-31 23:59:53 | 1970-01-01 00:00:00 | 2 | 5
1970-01-01 00:00:00 | 1970-01-01 00:00:07 | 2 | 8
1970-01-01 00:00:07 | 1970-01-01 00:00:14 | 1 | NULL
