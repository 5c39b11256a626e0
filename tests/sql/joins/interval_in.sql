-- IN with times that bound each other.
--- use payments
--- sql
SELECT id, ts FROM placed AS o
WHERE customer IN (SELECT p.customer FROM payments AS p WHERE p.ts BETWEEN o.ts - INTERVAL '3' SECOND AND o.ts + INTERVAL '3' SECOND);
--- rows
id | ts
1 | 2026-01-01 00:00:01
2 | 2026-01-01 00:00:04
3 | 2026-01-01 00:00:02
6 | 2026-01-01 00:00:13
7 | 2026-01-01 00:00:12
8 | 2026-01-01 00:00:20
10 | 2026-01-01 00:00:30
