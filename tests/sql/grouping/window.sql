-- Sums of a window and of the items in it.
--- use bids
--- sql
SELECT window_start, item, COUNT(*) AS n, SUM(price) AS s, GROUPING(item) AS g FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end, ROLLUP (item);
--- rows
window_start | item | n | s | g
2026-01-01 00:00:00 | cup | 1 | NULL | 0
2026-01-01 00:00:00 | ink | 1 | 7 | 0
2026-01-01 00:00:00 | pen | 2 | 8 | 0
2026-01-01 00:00:10 | NULL | 1 | 9 | 0
2026-01-01 00:00:10 | cup | 1 | 6 | 0
2026-01-01 00:00:10 | ink | 2 | 11 | 0
2026-01-01 00:00:20 | pen | 1 | 1 | 0
2026-01-01 00:00:30 | cup | 1 | 8 | 0
2026-01-01 00:00:00 | NULL | 4 | 15 | 1
2026-01-01 00:00:10 | NULL | 4 | 26 | 1
2026-01-01 00:00:20 | NULL | 1 | 1 | 1
2026-01-01 00:00:30 | NULL | 1 | 8 | 1
