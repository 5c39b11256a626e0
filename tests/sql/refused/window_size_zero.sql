-- A window of no size.
--- use bids
--- sql
SELECT window_start, COUNT(*) FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '0' SECOND)) GROUP BY window_start, window_end;
--- error
LV-1014
line 1
