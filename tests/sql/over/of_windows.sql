-- A running sum over windows, in event time.
--- use bids
--- sql
SELECT window_start, auction, n, SUM(n) OVER (PARTITION BY auction ORDER BY window_time) AS total FROM (
  SELECT window_start, window_end, window_time, auction, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end, window_time, auction
);
--- rows
window_start | auction | n | total
2026-01-01 00:00:10 | NULL | 1 | 1
2026-01-01 00:00:00 | 1 | 2 | 2
2026-01-01 00:00:10 | 1 | 1 | 3
2026-01-01 00:00:20 | 1 | 1 | 4
2026-01-01 00:00:00 | 2 | 1 | 1
2026-01-01 00:00:10 | 2 | 2 | 3
2026-01-01 00:00:00 | 3 | 1 | 1
2026-01-01 00:00:30 | 3 | 1 | 2
