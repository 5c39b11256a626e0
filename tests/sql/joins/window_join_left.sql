-- LEFT JOIN of windows: what has no partner comes once, when the window ends.
--- use payments
--- sql
SELECT a.id, b.id AS payment, b.window_start FROM placed_windows AS a LEFT JOIN payment_windows AS b
ON a.customer = b.customer AND a.window_start = b.window_start AND a.window_end = b.window_end;
--- rows
id | payment | window_start
1 | 11 | 2026-01-01 00:00:00
1 | 13 | 2026-01-01 00:00:00
2 | 12 | 2026-01-01 00:00:00
3 | 11 | 2026-01-01 00:00:00
3 | 13 | 2026-01-01 00:00:00
4 | NULL | NULL
5 | NULL | NULL
6 | 17 | 2026-01-01 00:00:10
7 | 16 | 2026-01-01 00:00:10
8 | 20 | 2026-01-01 00:00:20
9 | 17 | 2026-01-01 00:00:10
10 | NULL | NULL
