-- Bids are in two windows each; those with the same price share a number.
--- use bids
--- sql
SELECT window_start, auction, price, r FROM (
  SELECT *, DENSE_RANK() OVER (PARTITION BY window_start, window_end ORDER BY price DESC NULLS LAST) AS r
  FROM TABLE(HOP(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND, INTERVAL '20' SECOND)) WHERE price IS NOT NULL
) WHERE r <= 2;
--- rows
window_start | auction | price | r
2025-12-31 23:59:50 | 2 | 7 | 1
2025-12-31 23:59:50 | 1 | 5 | 2
2026-01-01 00:00:00 | 1 | 9 | 1
2026-01-01 00:00:00 | 2 | 7 | 2
2026-01-01 00:00:00 | 2 | 7 | 2
2026-01-01 00:00:10 | 1 | 9 | 1
2026-01-01 00:00:10 | 2 | 7 | 2
2026-01-01 00:00:20 | 3 | 8 | 1
2026-01-01 00:00:20 | 1 | 1 | 2
2026-01-01 00:00:30 | 3 | 8 | 1
