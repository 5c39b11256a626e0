-- Aggregates over nothing but NULL.
--- use bids
--- sql
SELECT auction, COUNT(*) AS n, COUNT(price) AS m, SUM(price) AS s, MIN(price) AS low, AVG(price) AS mean
FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND))
WHERE price IS NULL GROUP BY window_start, window_end, auction;
--- rows
auction | n | m | s | low | mean
3 | 1 | 0 | NULL | NULL | NULL
