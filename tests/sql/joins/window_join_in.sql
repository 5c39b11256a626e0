-- IN within a window.
--- use payments
--- sql
SELECT id, window_start FROM placed_windows AS a
WHERE customer IN (SELECT b.customer FROM payment_windows AS b WHERE a.window_start = b.window_start AND a.window_end = b.window_end);
--- rows
id | window_start
1 | 2026-01-01 00:00:00
2 | 2026-01-01 00:00:00
3 | 2026-01-01 00:00:00
6 | 2026-01-01 00:00:10
7 | 2026-01-01 00:00:10
8 | 2026-01-01 00:00:20
9 | 2026-01-01 00:00:10
