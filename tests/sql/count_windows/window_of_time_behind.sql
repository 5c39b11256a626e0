-- window_time is a time attribute.
--- use ticks
--- sql
CREATE VIEW full_ AS SELECT sym, window_end AS last_row, window_time AS at, SUM(qty) AS q FROM TABLE(COUNT_TUMBLE(TABLE ticks PARTITION BY sym ORDER BY ts, SIZE => 4)) GROUP BY sym, window_end, window_time;
SELECT window_start, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE full_, DESCRIPTOR(at), INTERVAL '10' MINUTE)) GROUP BY window_start, window_end;
--- rows
window_start | n
2026-03-01 10:00:00 | 4
2026-03-01 10:20:00 | 1
