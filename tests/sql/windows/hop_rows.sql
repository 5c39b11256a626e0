-- HOP without GROUP BY repeats each row for each of its windows.
--- use bids
--- sql
SELECT price, window_start, window_end
FROM TABLE(HOP(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND, INTERVAL '30' SECOND)) WHERE auction = 3;
--- rows
price | window_start | window_end
NULL | 2025-12-31 23:59:40 | 2026-01-01 00:00:10
NULL | 2025-12-31 23:59:50 | 2026-01-01 00:00:20
NULL | 2026-01-01 00:00:00 | 2026-01-01 00:00:30
8 | 2026-01-01 00:00:10 | 2026-01-01 00:00:40
8 | 2026-01-01 00:00:20 | 2026-01-01 00:00:50
8 | 2026-01-01 00:00:30 | 2026-01-01 00:01:00
