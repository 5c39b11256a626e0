-- Two window aggregates side by side.
--- use payments
--- sql
SELECT a.customer, a.window_start, a.n, b.customer AS payer, b.window_start AS w, b.total
FROM (SELECT customer, window_start, window_end, COUNT(*) AS n FROM placed_windows GROUP BY customer, window_start, window_end) AS a
FULL JOIN (SELECT customer, window_start, window_end, SUM(paid) AS total FROM payment_windows GROUP BY customer, window_start, window_end) AS b
ON a.customer = b.customer AND a.window_start = b.window_start AND a.window_end = b.window_end;
--- rows
customer | window_start | n | payer | w | total
NULL | 2026-01-01 00:00:00 | 1 | NULL | NULL | NULL
a | 2026-01-01 00:00:00 | 2 | a | 2026-01-01 00:00:00 | 8
a | 2026-01-01 00:00:10 | 2 | a | 2026-01-01 00:00:10 | 6
b | 2026-01-01 00:00:00 | 1 | b | 2026-01-01 00:00:00 | 7
b | 2026-01-01 00:00:10 | 1 | b | 2026-01-01 00:00:10 | 2
b | 2026-01-01 00:00:30 | 1 | NULL | NULL | NULL
c | 2026-01-01 00:00:00 | 1 | NULL | NULL | NULL
d | 2026-01-01 00:00:20 | 1 | d | 2026-01-01 00:00:20 | 4
NULL | NULL | NULL | NULL | 2026-01-01 00:00:00 | 9
NULL | NULL | NULL | a | 2026-01-01 00:00:20 | NULL
NULL | NULL | NULL | b | 2026-01-01 00:00:20 | 9
NULL | NULL | NULL | c | 2026-01-01 00:00:10 | 8
NULL | NULL | NULL | e | 2026-01-01 00:00:00 | 1
