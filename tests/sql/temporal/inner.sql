-- Each trade with the rate of its time.
--- use rates
--- sql
SELECT t.id, t.ts, r.rate, r.since FROM trades AS t
JOIN rates FOR SYSTEM_TIME AS OF t.ts AS r ON t.currency = r.currency;
--- rows
id | ts | rate | since
2 | 2026-01-01 00:00:02 | 110 | 2026-01-01 00:00:02
3 | 2026-01-01 00:00:04 | 100 | 2026-01-01 00:00:01
4 | 2026-01-01 00:00:09 | 112 | 2026-01-01 00:00:08
8 | 2026-01-01 00:00:12.25 | 99 | 2026-01-01 00:00:12.25
9 | 2026-01-01 00:00:14 | 112 | 2026-01-01 00:00:08
10 | 2026-01-01 00:00:20 | 2 | 2026-01-01 00:00:20
11 | 2026-01-01 00:00:30 | 115 | 2026-01-01 00:00:25
