-- TUMBLE: the rows of each ten seconds, whatever their order.
--- use bids
--- sql
SELECT window_start, window_end, COUNT(*) AS n, SUM(price) AS total
FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND))
GROUP BY window_start, window_end;
--- rows
window_start | window_end | n | total
2026-01-01 00:00:00 | 2026-01-01 00:00:10 | 4 | 15
2026-01-01 00:00:10 | 2026-01-01 00:00:20 | 4 | 26
2026-01-01 00:00:20 | 2026-01-01 00:00:30 | 1 | 1
2026-01-01 00:00:30 | 2026-01-01 00:00:40 | 1 | 8
