-- EXISTS with times that bound each other: an order with several payments comes once.
--- use payments
--- sql
SELECT id, ts FROM placed AS o
WHERE EXISTS (SELECT 1 FROM payments AS p WHERE p.customer = o.customer AND p.ts BETWEEN o.ts AND o.ts + INTERVAL '12' SECOND);
--- rows
id | ts
1 | 2026-01-01 00:00:01
2 | 2026-01-01 00:00:04
3 | 2026-01-01 00:00:02
5 | 2026-01-01 00:00:05
6 | 2026-01-01 00:00:13
8 | 2026-01-01 00:00:20
9 | 2026-01-01 00:00:18.5
