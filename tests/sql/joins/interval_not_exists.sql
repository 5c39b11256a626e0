-- NOT EXISTS with times that bound each other: orders that were not paid in time.
--- use payments
--- sql
SELECT id, ts FROM placed AS o
WHERE NOT EXISTS (SELECT 1 FROM payments AS p WHERE o.customer = p.customer AND p.ts BETWEEN o.ts AND o.ts + INTERVAL '8' SECOND);
--- rows
id | ts
4 | 2026-01-01 00:00:06
5 | 2026-01-01 00:00:05
7 | 2026-01-01 00:00:12
10 | 2026-01-01 00:00:30
