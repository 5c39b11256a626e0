-- Orders and payments of one customer in one window.
--- use payments
--- sql
SELECT a.id, b.id AS payment, a.window_start, b.window_time FROM placed_windows AS a JOIN payment_windows AS b
ON a.customer = b.customer AND a.window_start = b.window_start AND a.window_end = b.window_end;
--- rows
id | payment | window_start | window_time
1 | 11 | 2026-01-01 00:00:00 | 2026-01-01 00:00:09.999
1 | 13 | 2026-01-01 00:00:00 | 2026-01-01 00:00:09.999
2 | 12 | 2026-01-01 00:00:00 | 2026-01-01 00:00:09.999
3 | 11 | 2026-01-01 00:00:00 | 2026-01-01 00:00:09.999
3 | 13 | 2026-01-01 00:00:00 | 2026-01-01 00:00:09.999
6 | 17 | 2026-01-01 00:00:10 | 2026-01-01 00:00:19.999
7 | 16 | 2026-01-01 00:00:10 | 2026-01-01 00:00:19.999
8 | 20 | 2026-01-01 00:00:20 | 2026-01-01 00:00:29.999
9 | 17 | 2026-01-01 00:00:10 | 2026-01-01 00:00:19.999
