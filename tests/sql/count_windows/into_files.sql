-- Each window goes out once, so a table that takes no updates will do.
--- use ticks
--- sql
CREATE TABLE out_ (sym STRING, last_row BIGINT, s BIGINT) WITH ('connector' = 'filesystem', 'path' = '{dir}/out', 'format' = 'json');
INSERT INTO out_ SELECT sym, window_end, SUM(price) FROM TABLE(COUNT_HOP(TABLE ticks PARTITION BY sym ORDER BY ts, SIZE => 5, SLIDE => 2)) GROUP BY sym, window_end;
--- rows out_
sym | last_row | s
ash | 10 | 96
ash | 2 | 29
ash | 4 | 69
ash | 6 | 100
ash | 8 | 93
elm | 10 | 125
elm | 2 | 58
elm | 4 | 111
elm | 6 | 145
elm | 8 | 139
oak | 2 | 5
oak | 4 | 15
oak | 6 | 27
