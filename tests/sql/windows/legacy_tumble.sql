-- GROUP BY TUMBLE with its start and end.
--- use bids
--- sql
SELECT auction, TUMBLE_START(ts, INTERVAL '10' SECOND) AS s, TUMBLE_END(ts, INTERVAL '10' SECOND) AS e, COUNT(*) AS n
FROM bids WHERE auction <> 2 GROUP BY auction, TUMBLE(ts, INTERVAL '10' SECOND);
--- rows
auction | s | e | n
1 | 2026-01-01 00:00:00 | 2026-01-01 00:00:10 | 2
3 | 2026-01-01 00:00:00 | 2026-01-01 00:00:10 | 1
1 | 2026-01-01 00:00:10 | 2026-01-01 00:00:20 | 1
1 | 2026-01-01 00:00:20 | 2026-01-01 00:00:30 | 1
3 | 2026-01-01 00:00:30 | 2026-01-01 00:00:40 | 1
