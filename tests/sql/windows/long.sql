-- Windows of days.
--- use bids
--- sql
SELECT window_start, window_end, COUNT(*) AS n
FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '7' DAY))
GROUP BY window_start, window_end;
--- rows
window_start | window_end | n
2026-01-01 00:00:00 | 2026-01-08 00:00:00 | 10
