-- Aggregates of all values, and variance, of slices that several windows share.
--- use bids
--- sql
SELECT window_start, CARDINALITY(ARRAY_AGG(item)) AS n, FIRST_VALUE(item) FILTER (WHERE price IN (5, 1)) AS f, ROUND(STDDEV_POP(price), 6) AS s, PERCENTILE(price, 0.5) AS m
FROM TABLE(HOP(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND, INTERVAL '20' SECOND)) GROUP BY window_start, window_end;
--- rows
window_start | n | f | s | m
2025-12-31 23:59:50 | 4 | pen | 1.632993 | 5.0
2026-01-01 00:00:00 | 8 | pen | 1.884415 | 6.0
2026-01-01 00:00:10 | 5 | pen | 2.727636 | 6.0
2026-01-01 00:00:20 | 2 | pen | 3.5 | 4.5
2026-01-01 00:00:30 | 1 | NULL | 0.0 | 8.0
