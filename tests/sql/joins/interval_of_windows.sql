-- Each window of a customer beside the one before, by window_time.
--- use payments
--- sql
CREATE VIEW counts AS SELECT customer, window_start, window_end, window_time, COUNT(*) AS n FROM placed_windows
GROUP BY customer, window_start, window_end, window_time;
SELECT x.customer, x.window_start, x.n, y.n AS earlier FROM counts AS x LEFT JOIN counts AS y
ON x.customer = y.customer AND y.window_time = x.window_time - INTERVAL '10' SECOND;
--- rows
customer | window_start | n | earlier
NULL | 2026-01-01 00:00:00 | 1 | NULL
a | 2026-01-01 00:00:00 | 2 | NULL
a | 2026-01-01 00:00:10 | 2 | 2
b | 2026-01-01 00:00:00 | 1 | NULL
b | 2026-01-01 00:00:10 | 1 | 1
b | 2026-01-01 00:00:30 | 1 | NULL
c | 2026-01-01 00:00:00 | 1 | NULL
d | 2026-01-01 00:00:20 | 1 | NULL
