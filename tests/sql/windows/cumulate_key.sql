-- CUMULATE by a key: a key has windows from its first row on.
--- use bids
--- sql
SELECT auction, window_end, SUM(price) AS s
FROM TABLE(CUMULATE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND, INTERVAL '30' SECOND))
WHERE auction IN (1, 2) GROUP BY auction, window_start, window_end;
--- rows
auction | window_end | s
1 | 2026-01-01 00:00:10 | 8
1 | 2026-01-01 00:00:20 | 17
1 | 2026-01-01 00:00:30 | 18
2 | 2026-01-01 00:00:10 | 7
2 | 2026-01-01 00:00:20 | 18
2 | 2026-01-01 00:00:30 | 18
