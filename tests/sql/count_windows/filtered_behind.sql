-- A condition behind the window leaves out rows, not the window.
--- use ticks
--- sql
SELECT sym, window_end, COUNT(*) AS n, SUM(price) AS s FROM TABLE(COUNT_TUMBLE(TABLE ticks PARTITION BY sym ORDER BY ts, SIZE => 3)) WHERE price > 20 GROUP BY sym, window_end;
--- rows
sym | window_end | n | s
ash | 6 | 2 | 46
ash | 9 | 1 | 24
elm | 3 | 3 | 85
elm | 6 | 3 | 90
elm | 9 | 2 | 51
