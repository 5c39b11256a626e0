-- GROUP BY nothing but the window, without an aggregate.
--- use bids
--- sql
SELECT window_start, window_end FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND)) WHERE price > 5 GROUP BY window_start, window_end;
--- rows
window_start | window_end
2026-01-01 00:00:00 | 2026-01-01 00:00:10
2026-01-01 00:00:10 | 2026-01-01 00:00:20
2026-01-01 00:00:30 | 2026-01-01 00:00:40
