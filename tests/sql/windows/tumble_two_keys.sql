-- Two keys, one of them an expression.
--- use bids
--- sql
SELECT item, bidder % 2 AS odd, COUNT(*) AS n
FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '1' MINUTE))
GROUP BY window_start, window_end, item, bidder % 2;
--- rows
item | odd | n
pen | 0 | 2
pen | 1 | 1
ink | 1 | 1
ink | 0 | 2
NULL | 0 | 1
cup | 0 | 2
cup | 1 | 1
