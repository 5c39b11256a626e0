-- The best bids of each window: windows joined by their bounds.
--- use bids
--- sql
SELECT b.auction, b.bidder, w.top FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '20' SECOND)) AS b
JOIN (SELECT window_start, window_end, MAX(price) AS top FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '20' SECOND))
  GROUP BY window_start, window_end) AS w
ON b.price = w.top AND b.window_start = w.window_start AND b.window_end = w.window_end;
--- rows
auction | bidder | top
1 | 10 | 9
3 | 10 | 8
