-- HAVING chooses groups after the aggregation.
--- use bids
--- sql
SELECT window_start, auction, SUM(price) AS total
FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND))
GROUP BY window_start, window_end, auction HAVING COUNT(*) > 1 AND SUM(price) > 8;
--- rows
window_start | auction | total
2026-01-01 00:00:10 | 2 | 11
