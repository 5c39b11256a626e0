-- LEFT JOIN in an interval: an order without a payment comes once, when none can come any more.
--- use payments
--- sql
SELECT o.id, p.id AS payment, p.ts AS paid_at FROM placed AS o LEFT JOIN payments AS p
ON o.customer = p.customer AND p.ts BETWEEN o.ts AND o.ts + INTERVAL '8' SECOND;
--- rows
id | payment | paid_at
1 | 11 | 2026-01-01 00:00:03
1 | 13 | 2026-01-01 00:00:09
2 | 12 | 2026-01-01 00:00:04
2 | 16 | 2026-01-01 00:00:11
3 | 11 | 2026-01-01 00:00:03
3 | 13 | 2026-01-01 00:00:09
4 | NULL | NULL
5 | NULL | NULL
6 | 17 | 2026-01-01 00:00:13
7 | NULL | NULL
8 | 20 | 2026-01-01 00:00:20
9 | 19 | 2026-01-01 00:00:24
10 | NULL | NULL
