-- SESSION without a key.
--- use bids
--- sql
SELECT window_start, window_end, COUNT(*) AS n, MAX(price) AS top
FROM TABLE(SESSION(TABLE bids, DESCRIPTOR(ts), INTERVAL '4' SECOND))
GROUP BY window_start, window_end;
--- rows
window_start | window_end | n | top
2026-01-01 00:00:01 | 2026-01-01 00:00:19 | 7 | 9
2026-01-01 00:00:19.999 | 2026-01-01 00:00:24 | 2 | 7
2026-01-01 00:00:33 | 2026-01-01 00:00:37 | 1 | 8
