-- window_time says as much as the end of the window.
--- use bids
--- sql
SELECT window_time, price FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND))
QUALIFY ROW_NUMBER() OVER (PARTITION BY window_time ORDER BY price NULLS LAST, ts) = 1;
--- rows
window_time | price
2026-01-01 00:00:09.999 | 3
2026-01-01 00:00:19.999 | 4
2026-01-01 00:00:29.999 | 1
2026-01-01 00:00:39.999 | 8
