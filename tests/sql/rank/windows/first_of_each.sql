-- The first bid of each bidder in each window, whatever comes earlier.
--- use bids
--- sql
SELECT window_start, bidder, price FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND))
QUALIFY ROW_NUMBER() OVER (PARTITION BY window_start, window_end, bidder ORDER BY ts) = 1;
--- rows
window_start | bidder | price
2026-01-01 00:00:00 | 10 | 5
2026-01-01 00:00:00 | 11 | 3
2026-01-01 00:00:00 | 12 | NULL
2026-01-01 00:00:10 | 10 | 9
2026-01-01 00:00:10 | 11 | 6
2026-01-01 00:00:10 | 12 | 7
2026-01-01 00:00:20 | 12 | 1
2026-01-01 00:00:30 | 10 | 8
