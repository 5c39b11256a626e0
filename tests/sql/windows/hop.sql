-- HOP: each row is in as many windows as the slide fits into the size.
--- use bids
--- sql
SELECT window_start, window_end, COUNT(*) AS n, SUM(price) AS total
FROM TABLE(HOP(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND, INTERVAL '20' SECOND))
GROUP BY window_start, window_end;
--- rows
window_start | window_end | n | total
2025-12-31 23:59:50 | 2026-01-01 00:00:10 | 4 | 15
2026-01-01 00:00:00 | 2026-01-01 00:00:20 | 8 | 41
2026-01-01 00:00:10 | 2026-01-01 00:00:30 | 5 | 27
2026-01-01 00:00:20 | 2026-01-01 00:00:40 | 2 | 9
2026-01-01 00:00:30 | 2026-01-01 00:00:50 | 1 | 8
