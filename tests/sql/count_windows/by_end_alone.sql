-- Windows of several partitions are put together, which updates.
--- use ticks
--- sql
SELECT window_end, COUNT(*) AS n, MAX(price) AS m FROM TABLE(COUNT_TUMBLE(TABLE ticks PARTITION BY sym ORDER BY ts, SIZE => 3)) GROUP BY window_end;
--- rows
window_end | n | m
3 | 9 | 30
6 | 9 | 33
9 | 6 | 29
