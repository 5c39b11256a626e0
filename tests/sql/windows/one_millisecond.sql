-- Windows of a millisecond.
--- use bids
--- sql
SELECT window_start, window_end, COUNT(*) AS n
FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '0.001' SECOND))
WHERE price = 7 GROUP BY window_start, window_end;
--- rows
window_start | window_end | n
2026-01-01 00:00:04 | 2026-01-01 00:00:04.001 | 1
2026-01-01 00:00:19.999 | 2026-01-01 00:00:20 | 1
