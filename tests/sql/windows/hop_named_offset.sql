-- HOP with arguments by name and an offset.
--- use bids
--- sql
SELECT window_start, window_end, COUNT(*) AS n
FROM TABLE(HOP(DATA => TABLE bids, TIMECOL => DESCRIPTOR(ts), SLIDE => INTERVAL '10' SECOND, SIZE => INTERVAL '20' SECOND, `OFFSET` => INTERVAL '5' SECOND))
GROUP BY window_start, window_end;
--- rows
window_start | window_end | n
2025-12-31 23:59:45 | 2026-01-01 00:00:05 | 3
2025-12-31 23:59:55 | 2026-01-01 00:00:15 | 6
2026-01-01 00:00:05 | 2026-01-01 00:00:25 | 6
2026-01-01 00:00:15 | 2026-01-01 00:00:35 | 4
2026-01-01 00:00:25 | 2026-01-01 00:00:45 | 1
