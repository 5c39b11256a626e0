-- A set without the window.
--- use bids
--- sql
SELECT window_start, item, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY GROUPING SETS ((window_start, window_end, item), (item), ());
--- rows
window_start | item | n
2026-01-01 00:00:00 | cup | 1
2026-01-01 00:00:00 | ink | 1
2026-01-01 00:00:00 | pen | 2
2026-01-01 00:00:10 | NULL | 1
2026-01-01 00:00:10 | cup | 1
2026-01-01 00:00:10 | ink | 2
2026-01-01 00:00:20 | pen | 1
2026-01-01 00:00:30 | cup | 1
NULL | NULL | 1
NULL | cup | 3
NULL | ink | 3
NULL | pen | 3
NULL | NULL | 10
