-- Every second row, over the last five; the first windows have fewer.
--- use ticks
--- sql
SELECT sym, window_start, window_end, COUNT(*) AS n, SUM(price) AS s FROM TABLE(COUNT_HOP(TABLE ticks PARTITION BY sym ORDER BY ts, SIZE => 5, SLIDE => 2)) GROUP BY sym, window_start, window_end;
--- rows
sym | window_start | window_end | n | s
ash | 1 | 2 | 2 | 29
ash | 1 | 4 | 4 | 69
ash | 2 | 6 | 5 | 100
ash | 4 | 8 | 5 | 93
ash | 6 | 10 | 5 | 96
elm | 1 | 2 | 2 | 58
elm | 1 | 4 | 4 | 111
elm | 2 | 6 | 5 | 145
elm | 4 | 8 | 5 | 139
elm | 6 | 10 | 5 | 125
oak | 1 | 2 | 2 | 5
oak | 1 | 4 | 4 | 15
oak | 2 | 6 | 5 | 27
