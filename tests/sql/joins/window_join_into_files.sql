-- A FULL JOIN of windows only adds rows, so files take it.
--- use payments
--- sql
CREATE TABLE out_ (id INT, payment INT, w TIMESTAMP(3)) WITH ('connector' = 'filesystem', 'path' = '{dir}/out_', 'format' = 'json');
INSERT INTO out_ SELECT a.id, b.id, b.window_start FROM placed_windows AS a FULL JOIN payment_windows AS b
ON a.customer = b.customer AND a.window_start = b.window_start AND a.window_end = b.window_end;
--- rows out_
id | payment | w
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
NULL | 14 | 2026-01-01 00:00:00
NULL | 15 | 2026-01-01 00:00:00
NULL | 18 | 2026-01-01 00:00:10
NULL | 19 | 2026-01-01 00:00:20
NULL | 21 | 2026-01-01 00:00:20
