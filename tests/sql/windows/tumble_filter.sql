-- FILTER for one aggregate.
--- use bids
--- sql
SELECT window_start, COUNT(*) AS n, COUNT(*) FILTER (WHERE price > 5) AS dear, SUM(price) FILTER (WHERE bidder = 99) AS nobody
FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND))
GROUP BY window_start, window_end;
--- rows
window_start | n | dear | nobody
2026-01-01 00:00:00 | 4 | 1 | NULL
2026-01-01 00:00:10 | 4 | 3 | NULL
2026-01-01 00:00:20 | 1 | 0 | NULL
2026-01-01 00:00:30 | 1 | 1 | NULL
