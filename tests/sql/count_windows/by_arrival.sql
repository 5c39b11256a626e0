-- Without ORDER BY rows are counted as they come; which window has which is left open.
--- use ticks
--- sql
SELECT sym, window_start, window_end, COUNT(*) AS n FROM TABLE(COUNT_TUMBLE(TABLE ticks PARTITION BY sym, SIZE => 3)) GROUP BY sym, window_start, window_end;
--- rows
sym | window_start | window_end | n
ash | 1 | 3 | 3
ash | 4 | 6 | 3
ash | 7 | 9 | 3
elm | 1 | 3 | 3
elm | 4 | 6 | 3
elm | 7 | 9 | 3
oak | 1 | 3 | 3
oak | 4 | 6 | 3
