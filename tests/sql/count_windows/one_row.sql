-- Windows of one row.
--- use ticks
--- sql
SELECT sym, COUNT(*) AS n, SUM(window_end - window_start) AS d, MAX(window_end) AS m FROM TABLE(COUNT_TUMBLE(TABLE ticks PARTITION BY sym ORDER BY ts, SIZE => 1)) GROUP BY sym;
--- rows
sym | n | d | m
ash | 11 | 0 | 11
elm | 10 | 0 | 10
oak | 7 | 0 | 7
