-- Behind a join that event time does not bound, a column of time is a plain timestamp.
--- use bids
--- skip batch: windows over batches need no event time
--- sql
CREATE VIEW pairs AS SELECT a.ts, b.price FROM bids AS a JOIN bids AS b ON a.auction = b.auction;
SELECT window_start, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE pairs, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end;
--- error streaming
LV-1014
time attribute
behind a join
