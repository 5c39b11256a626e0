-- Hopping windows: a pair comes in each window that both are in.
--- use payments
--- sql
SELECT a.id, b.id AS payment, a.window_start FROM TABLE(HOP(TABLE placed, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '10' SECOND)) AS a
LEFT JOIN TABLE(HOP(TABLE payments, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '10' SECOND)) AS b
ON a.customer = b.customer AND a.window_start = b.window_start AND a.window_end = b.window_end;
--- rows
id | payment | window_start
1 | 11 | 2025-12-31 23:59:55
2 | 12 | 2025-12-31 23:59:55
3 | 11 | 2025-12-31 23:59:55
1 | 11 | 2026-01-01 00:00:00
1 | 13 | 2026-01-01 00:00:00
2 | 12 | 2026-01-01 00:00:00
3 | 11 | 2026-01-01 00:00:00
3 | 13 | 2026-01-01 00:00:00
4 | NULL | 2026-01-01 00:00:00
5 | NULL | 2026-01-01 00:00:00
4 | NULL | 2026-01-01 00:00:05
5 | NULL | 2026-01-01 00:00:05
6 | 13 | 2026-01-01 00:00:05
6 | 17 | 2026-01-01 00:00:05
7 | 16 | 2026-01-01 00:00:05
6 | 17 | 2026-01-01 00:00:10
7 | 16 | 2026-01-01 00:00:10
9 | 17 | 2026-01-01 00:00:10
8 | 20 | 2026-01-01 00:00:15
9 | 19 | 2026-01-01 00:00:15
8 | 20 | 2026-01-01 00:00:20
10 | 21 | 2026-01-01 00:00:25
10 | NULL | 2026-01-01 00:00:30
