-- CUMULATE: windows that grow by steps up to the size.
--- use bids
--- sql
SELECT window_start, window_end, COUNT(*) AS n
FROM TABLE(CUMULATE(TABLE bids, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '20' SECOND))
GROUP BY window_start, window_end;
--- rows
window_start | window_end | n
2026-01-01 00:00:00 | 2026-01-01 00:00:05 | 3
2026-01-01 00:00:00 | 2026-01-01 00:00:10 | 4
2026-01-01 00:00:00 | 2026-01-01 00:00:15 | 6
2026-01-01 00:00:00 | 2026-01-01 00:00:20 | 8
2026-01-01 00:00:20 | 2026-01-01 00:00:25 | 1
2026-01-01 00:00:20 | 2026-01-01 00:00:30 | 1
2026-01-01 00:00:20 | 2026-01-01 00:00:35 | 2
2026-01-01 00:00:20 | 2026-01-01 00:00:40 | 2
