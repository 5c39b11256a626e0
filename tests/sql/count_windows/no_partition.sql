-- Without PARTITION BY all rows are counted together.
--- use ticks
--- sql
SELECT window_start, window_end, window_time, AVG(id) AS a, COUNT(*) AS n FROM TABLE(COUNT_TUMBLE(TABLE ticks ORDER BY ts, SIZE => 10)) GROUP BY window_start, window_end, window_time;
--- rows
window_start | window_end | window_time | a | n
1 | 10 | 2026-03-01 10:03:00 | 5.5 | 10
11 | 20 | 2026-03-01 10:07:00 | 15.5 | 10
