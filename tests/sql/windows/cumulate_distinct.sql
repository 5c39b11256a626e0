-- Distinct values of growing windows.
--- use bids
--- sql
SELECT window_end, COUNT(DISTINCT auction) AS auctions, COUNT(DISTINCT item) AS items
FROM TABLE(CUMULATE(TABLE bids, DESCRIPTOR(ts), INTERVAL '20' SECOND, INTERVAL '1' MINUTE))
GROUP BY window_start, window_end;
--- rows
window_end | auctions | items
2026-01-01 00:00:20 | 3 | 3
2026-01-01 00:00:40 | 3 | 3
2026-01-01 00:01:00 | 3 | 3
