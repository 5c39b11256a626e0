-- The highest prices of each window, with their numbers.
--- use bids
--- sql
SELECT window_start, rn, auction, price FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY price DESC NULLS LAST, ts) AS rn
  FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND))
) WHERE rn <= 2;
--- rows
window_start | rn | auction | price
2026-01-01 00:00:00 | 1 | 2 | 7
2026-01-01 00:00:00 | 2 | 1 | 5
2026-01-01 00:00:10 | 1 | 1 | 9
2026-01-01 00:00:10 | 2 | 2 | 7
2026-01-01 00:00:20 | 1 | 1 | 1
2026-01-01 00:00:30 | 1 | 3 | 8
