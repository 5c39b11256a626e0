-- HOP by a key, with the distinct values of each window.
--- use bids
--- sql
SELECT auction, window_end, COUNT(DISTINCT bidder) AS bidders, MIN(price) AS low
FROM TABLE(HOP(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND, INTERVAL '20' SECOND))
WHERE auction < 3 GROUP BY auction, window_start, window_end;
--- rows
auction | window_end | bidders | low
1 | 2026-01-01 00:00:10 | 2 | 3
1 | 2026-01-01 00:00:20 | 2 | 3
1 | 2026-01-01 00:00:30 | 2 | 1
1 | 2026-01-01 00:00:40 | 1 | 1
2 | 2026-01-01 00:00:10 | 1 | 7
2 | 2026-01-01 00:00:20 | 3 | 4
2 | 2026-01-01 00:00:30 | 2 | 4
