-- COUNT(DISTINCT) and SUM(DISTINCT), also with FILTER.
--- use bids
--- sql
SELECT window_start, COUNT(DISTINCT bidder) AS bidders, COUNT(DISTINCT auction) AS auctions, SUM(DISTINCT price) AS s, COUNT(DISTINCT bidder) FILTER (WHERE price > 4) AS big
FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '20' SECOND))
GROUP BY window_start, window_end;
--- rows
window_start | bidders | auctions | s | big
2026-01-01 00:00:00 | 3 | 3 | 34 | 3
2026-01-01 00:00:20 | 2 | 2 | 9 | 1
