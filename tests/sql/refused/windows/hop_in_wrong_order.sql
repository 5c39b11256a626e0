-- The size of HOP in front of its slide.
--- use market
--- sql
SELECT window_start, COUNT(*) FROM TABLE(HOP(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND, INTERVAL '5' SECOND)) GROUP BY window_start, window_end;
--- error
LV-1014
the size of HOP must be a multiple of its slide, which comes first
line 1, column 42
