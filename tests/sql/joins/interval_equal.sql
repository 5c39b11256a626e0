-- Rows of the same time and customer.
--- use payments
--- sql
SELECT o.id, p.id AS payment, p.ts FROM placed AS o FULL JOIN payments AS p
ON o.customer = p.customer AND o.ts = p.ts;
--- rows
id | payment | ts
1 | NULL | NULL
2 | 12 | 2026-01-01 00:00:04
3 | NULL | NULL
4 | NULL | NULL
5 | NULL | NULL
6 | 17 | 2026-01-01 00:00:13
7 | NULL | NULL
8 | 20 | 2026-01-01 00:00:20
9 | NULL | NULL
10 | NULL | NULL
NULL | 11 | 2026-01-01 00:00:03
NULL | 13 | 2026-01-01 00:00:09
NULL | 14 | 2026-01-01 00:00:07
NULL | 15 | 2026-01-01 00:00:08
NULL | 16 | 2026-01-01 00:00:11
NULL | 18 | 2026-01-01 00:00:16
NULL | 19 | 2026-01-01 00:00:24
NULL | 21 | 2026-01-01 00:00:29.25
