-- Aggregates by arrival in sessions.
--- use bids
--- sql
SELECT auction, window_start, LISTAGG(item, '/') AS items, ROUND(VAR_POP(price), 6) AS v
FROM TABLE(SESSION(TABLE bids PARTITION BY auction, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY auction, window_start, window_end;
--- rows
auction | window_start | items | v
1 | 2026-01-01 00:00:01 | pen/pen/pen | 8.75
2 | 2026-01-01 00:00:04 | ink/ink/ink | 2.0
3 | 2026-01-01 00:00:08 | cup | NULL
3 | 2026-01-01 00:00:33 | cup | 0.0
NULL | 2026-01-01 00:00:15 | cup | 0.0
