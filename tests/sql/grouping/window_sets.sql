-- Windows in each of the sets that are listed.
--- use bids
--- sql
SELECT window_start, item, bidder, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY GROUPING SETS ((window_start, window_end, item), (window_start, window_end, bidder));
--- rows
window_start | item | bidder | n
2026-01-01 00:00:00 | cup | NULL | 1
2026-01-01 00:00:00 | ink | NULL | 1
2026-01-01 00:00:00 | pen | NULL | 2
2026-01-01 00:00:10 | NULL | NULL | 1
2026-01-01 00:00:10 | cup | NULL | 1
2026-01-01 00:00:10 | ink | NULL | 2
2026-01-01 00:00:20 | pen | NULL | 1
2026-01-01 00:00:30 | cup | NULL | 1
2026-01-01 00:00:00 | NULL | 10 | 1
2026-01-01 00:00:00 | NULL | 11 | 2
2026-01-01 00:00:00 | NULL | 12 | 1
2026-01-01 00:00:10 | NULL | 10 | 2
2026-01-01 00:00:10 | NULL | 11 | 1
2026-01-01 00:00:10 | NULL | 12 | 1
2026-01-01 00:00:20 | NULL | 12 | 1
2026-01-01 00:00:30 | NULL | 10 | 1
