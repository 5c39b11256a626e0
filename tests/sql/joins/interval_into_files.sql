-- A LEFT JOIN in an interval only adds rows, so files take it.
--- use payments
--- sql
CREATE TABLE out_ (id INT, payment INT, ts TIMESTAMP(3)) WITH ('connector' = 'filesystem', 'path' = '{dir}/out_', 'format' = 'json');
INSERT INTO out_ SELECT o.id, p.id, o.ts FROM placed AS o LEFT JOIN payments AS p
ON o.customer = p.customer AND p.ts BETWEEN o.ts AND o.ts + INTERVAL '8' SECOND;
--- rows out_
id | payment | ts
1 | 11 | 2026-01-01 00:00:01
1 | 13 | 2026-01-01 00:00:01
2 | 12 | 2026-01-01 00:00:04
2 | 16 | 2026-01-01 00:00:04
3 | 11 | 2026-01-01 00:00:02
3 | 13 | 2026-01-01 00:00:02
4 | NULL | 2026-01-01 00:00:06
5 | NULL | 2026-01-01 00:00:05
6 | 17 | 2026-01-01 00:00:13
7 | NULL | 2026-01-01 00:00:12
8 | 20 | 2026-01-01 00:00:20
9 | 19 | 2026-01-01 00:00:18.5
10 | NULL | 2026-01-01 00:00:30
