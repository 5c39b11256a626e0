-- A group aggregate over the result of windows.
--- use bids
--- sql
SELECT auction, COUNT(*) AS windows, MAX(n) AS most
FROM (
  SELECT auction, window_start, COUNT(*) AS n
  FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end, auction
) GROUP BY auction;
--- rows
auction | windows | most
1 | 3 | 2
2 | 2 | 2
3 | 2 | 1
NULL | 1 | 1
