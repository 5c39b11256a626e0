-- Arguments by name, in any order.
--- use bids
--- sql
SELECT window_start, COUNT(*) AS n
FROM TABLE(TUMBLE(SIZE => INTERVAL '20' SECOND, TIMECOL => DESCRIPTOR(ts), DATA => TABLE bids))
GROUP BY window_start, window_end;
--- rows
window_start | n
2026-01-01 00:00:00 | 8
2026-01-01 00:00:20 | 2
