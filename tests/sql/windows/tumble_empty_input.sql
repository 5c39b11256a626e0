-- No rows, no windows.
--- use bids
--- sql
SELECT window_start, COUNT(*) AS n
FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND))
WHERE price > 100 GROUP BY window_start, window_end;
--- rows
window_start | n
