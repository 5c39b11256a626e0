-- An offset moves the bounds of the windows.
--- use bids
--- sql
SELECT window_start, window_end, COUNT(*) AS n
FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND, INTERVAL '4' SECOND))
GROUP BY window_start, window_end;
--- rows
window_start | window_end | n
2025-12-31 23:59:54 | 2026-01-01 00:00:04 | 2
2026-01-01 00:00:04 | 2026-01-01 00:00:14 | 4
2026-01-01 00:00:14 | 2026-01-01 00:00:24 | 3
2026-01-01 00:00:24 | 2026-01-01 00:00:34 | 1
