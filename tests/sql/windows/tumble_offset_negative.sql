-- A negative offset.
--- use bids
--- sql
SELECT window_start, COUNT(*) AS n
FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND, INTERVAL '-1' SECOND))
GROUP BY window_start, window_end;
--- rows
window_start | n
2025-12-31 23:59:59 | 4
2026-01-01 00:00:09 | 3
2026-01-01 00:00:19 | 2
2026-01-01 00:00:29 | 1
