-- The table function without GROUP BY adds the window to each row.
--- use bids
--- sql
SELECT bidder, price, window_start, window_end, window_time
FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND)) WHERE auction = 1;
--- rows
bidder | price | window_start | window_end | window_time
10 | 5 | 2026-01-01 00:00:00 | 2026-01-01 00:00:10 | 2026-01-01 00:00:09.999
11 | 3 | 2026-01-01 00:00:00 | 2026-01-01 00:00:10 | 2026-01-01 00:00:09.999
10 | 9 | 2026-01-01 00:00:10 | 2026-01-01 00:00:20 | 2026-01-01 00:00:19.999
12 | 1 | 2026-01-01 00:00:20 | 2026-01-01 00:00:30 | 2026-01-01 00:00:29.999
