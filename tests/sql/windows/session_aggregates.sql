-- DISTINCT, FILTER, AVG and HAVING in sessions.
--- use bids
--- sql
SELECT bidder, window_end, COUNT(DISTINCT auction) AS auctions, AVG(price) AS mean, COUNT(*) FILTER (WHERE item = 'pen') AS pens
FROM TABLE(SESSION(TABLE bids PARTITION BY bidder, DESCRIPTOR(ts), INTERVAL '8' SECOND))
GROUP BY bidder, window_start, window_end HAVING COUNT(*) > 1;
--- rows
bidder | window_end | auctions | mean | pens
10 | 2026-01-01 00:00:20.5 | 2 | 6.5 | 0
11 | 2026-01-01 00:00:12 | 2 | 5.0 | 1
12 | 2026-01-01 00:00:28 | 2 | 4.0 | 1
