-- Behind a Top-N whose rows are taken back a column of time is a plain timestamp.
--- use bids
--- skip batch: windows over batches need no event time
--- sql
CREATE VIEW latest AS SELECT ts FROM bids QUALIFY ROW_NUMBER() OVER (PARTITION BY auction ORDER BY ts DESC) = 1;
SELECT window_start, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE latest, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end;
--- error streaming
LV-1014
time attribute
behind a Top-N
