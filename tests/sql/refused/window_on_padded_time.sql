-- Behind a LEFT JOIN in an interval the time of the right table may be missing, so no window is on it.
--- use bids
--- skip batch: windows over batches need no event time
--- sql
CREATE VIEW pairs AS SELECT a.price, b.ts FROM bids AS a LEFT JOIN bids AS b ON a.auction = b.auction AND a.ts = b.ts;
SELECT window_start, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE pairs, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end;
--- error streaming
LV-1014
time attribute
for want of a partner
