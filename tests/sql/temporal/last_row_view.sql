-- A view that keeps the last row of each key has versions too.
--- use rates
--- sql
SELECT t.id, r.rate, r.since FROM trades AS t
LEFT JOIN last_rates FOR SYSTEM_TIME AS OF t.ts AS r ON t.currency = r.currency;
--- rows
id | rate | since
1 | NULL | NULL
2 | 110 | 2026-01-01 00:00:02
3 | 100 | 2026-01-01 00:00:01
4 | 112 | 2026-01-01 00:00:08
5 | NULL | NULL
6 | NULL | NULL
7 | NULL | NULL
8 | 99 | 2026-01-01 00:00:12.25
9 | 112 | 2026-01-01 00:00:08
10 | 2 | 2026-01-01 00:00:20
11 | 115 | 2026-01-01 00:00:25
