-- SESSION: rows of a key with no gap longer than this between them.
--- use bids
--- sql
SELECT bidder, window_start, window_end, COUNT(*) AS n
FROM TABLE(SESSION(TABLE bids PARTITION BY bidder, DESCRIPTOR(ts), INTERVAL '8' SECOND))
GROUP BY bidder, window_start, window_end;
--- rows
bidder | window_start | window_end | n
10 | 2026-01-01 00:00:01 | 2026-01-01 00:00:09 | 1
10 | 2026-01-01 00:00:11 | 2026-01-01 00:00:20.5 | 2
10 | 2026-01-01 00:00:33 | 2026-01-01 00:00:41 | 1
11 | 2026-01-01 00:00:02 | 2026-01-01 00:00:12 | 2
11 | 2026-01-01 00:00:15 | 2026-01-01 00:00:23 | 1
12 | 2026-01-01 00:00:08 | 2026-01-01 00:00:16 | 1
12 | 2026-01-01 00:00:19.999 | 2026-01-01 00:00:28 | 2
