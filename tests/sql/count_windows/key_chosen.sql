-- A condition on the key goes before the window.
--- use ticks
--- sql
SELECT sym, window_end, SUM(price) AS s FROM TABLE(COUNT_HOP(TABLE ticks PARTITION BY sym ORDER BY ts, SIZE => 5, SLIDE => 2)) WHERE sym = 'oak' AND window_start > 1 GROUP BY sym, window_end;
--- rows
sym | window_end | s
oak | 6 | 27
