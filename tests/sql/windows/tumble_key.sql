-- TUMBLE by a key; NULL is a key of its own.
--- use bids
--- sql
SELECT auction, window_end, COUNT(*) AS n, MAX(price) AS top
FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND))
GROUP BY window_start, window_end, auction;
--- rows
auction | window_end | n | top
1 | 2026-01-01 00:00:10 | 2 | 5
2 | 2026-01-01 00:00:10 | 1 | 7
3 | 2026-01-01 00:00:10 | 1 | NULL
1 | 2026-01-01 00:00:20 | 1 | 9
2 | 2026-01-01 00:00:20 | 2 | 7
NULL | 2026-01-01 00:00:20 | 1 | 6
1 | 2026-01-01 00:00:30 | 1 | 1
3 | 2026-01-01 00:00:40 | 1 | 8
