-- Over the result of a window.
--- use bids
--- sql
SELECT window_start, n, COUNT(*) AS items FROM (SELECT window_start, window_end, item, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end, item) GROUP BY window_start, window_end, ROLLUP (n);
--- rows
window_start | n | items
2026-01-01 00:00:00 | 1 | 2
2026-01-01 00:00:00 | 2 | 1
2026-01-01 00:00:10 | 1 | 2
2026-01-01 00:00:10 | 2 | 1
2026-01-01 00:00:20 | 1 | 1
2026-01-01 00:00:30 | 1 | 1
2026-01-01 00:00:00 | NULL | 3
2026-01-01 00:00:10 | NULL | 3
2026-01-01 00:00:20 | NULL | 1
2026-01-01 00:00:30 | NULL | 1
