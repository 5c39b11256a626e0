-- The size of HOP must be a multiple of its slide.
--- use bids
--- sql
SELECT window_start, COUNT(*) FROM TABLE(HOP(TABLE bids, DESCRIPTOR(ts), INTERVAL '3' SECOND, INTERVAL '10' SECOND)) GROUP BY window_start, window_end;
--- error
LV-1014
multiple
