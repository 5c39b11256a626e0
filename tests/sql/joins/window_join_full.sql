-- FULL JOIN of windows, with a condition beside.
--- use payments
--- sql
SELECT a.id, a.window_start, b.id AS payment, b.window_end FROM placed_windows AS a FULL JOIN payment_windows AS b
ON a.customer = b.customer AND a.window_start = b.window_start AND a.window_end = b.window_end AND a.amount <= b.paid;
--- rows
id | window_start | payment | window_end
1 | 2026-01-01 00:00:00 | 11 | 2026-01-01 00:00:10
2 | 2026-01-01 00:00:00 | 12 | 2026-01-01 00:00:10
3 | 2026-01-01 00:00:00 | 11 | 2026-01-01 00:00:10
3 | 2026-01-01 00:00:00 | 13 | 2026-01-01 00:00:10
4 | 2026-01-01 00:00:00 | NULL | NULL
5 | 2026-01-01 00:00:00 | NULL | NULL
6 | 2026-01-01 00:00:10 | 17 | 2026-01-01 00:00:20
7 | 2026-01-01 00:00:10 | 16 | 2026-01-01 00:00:20
8 | 2026-01-01 00:00:20 | 20 | 2026-01-01 00:00:30
9 | 2026-01-01 00:00:10 | 17 | 2026-01-01 00:00:20
10 | 2026-01-01 00:00:30 | NULL | NULL
NULL | NULL | 14 | 2026-01-01 00:00:10
NULL | NULL | 15 | 2026-01-01 00:00:10
NULL | NULL | 18 | 2026-01-01 00:00:20
NULL | NULL | 19 | 2026-01-01 00:00:30
NULL | NULL | 21 | 2026-01-01 00:00:30
