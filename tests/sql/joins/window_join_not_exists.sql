-- NOT EXISTS within a window.
--- use payments
--- sql
SELECT id, window_start FROM placed_windows AS a
WHERE NOT EXISTS (SELECT 1 FROM payment_windows AS b WHERE a.customer = b.customer AND a.window_start = b.window_start AND a.window_end = b.window_end);
--- rows
id | window_start
4 | 2026-01-01 00:00:00
5 | 2026-01-01 00:00:00
10 | 2026-01-01 00:00:30
