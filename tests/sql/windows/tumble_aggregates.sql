-- COUNT of a column, SUM, MIN, MAX and AVG skip NULL.
--- use bids
--- sql
SELECT window_start, COUNT(price) AS n, MIN(price) AS low, MAX(price) AS high, AVG(price) AS mean, MAX(item) AS last_item
FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND))
GROUP BY window_start, window_end;
--- rows
window_start | n | low | high | mean | last_item
2026-01-01 00:00:00 | 3 | 3 | 7 | 5.0 | pen
2026-01-01 00:00:10 | 4 | 4 | 9 | 6.5 | ink
2026-01-01 00:00:20 | 1 | 1 | 1 | 1.0 | pen
2026-01-01 00:00:30 | 1 | 8 | 8 | 8.0 | cup
