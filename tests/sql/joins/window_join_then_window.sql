-- An aggregation by the windows that a window join has.
--- use payments
--- sql
SELECT a.window_start, a.window_end, COUNT(*) AS n, SUM(b.paid) AS paid FROM placed_windows AS a LEFT JOIN payment_windows AS b
ON a.customer = b.customer AND a.window_start = b.window_start AND a.window_end = b.window_end
GROUP BY a.window_start, a.window_end;
--- rows
window_start | window_end | n | paid
2026-01-01 00:00:00 | 2026-01-01 00:00:10 | 7 | 23
2026-01-01 00:00:10 | 2026-01-01 00:00:20 | 3 | 14
2026-01-01 00:00:20 | 2026-01-01 00:00:30 | 1 | 4
2026-01-01 00:00:30 | 2026-01-01 00:00:40 | 1 | NULL
