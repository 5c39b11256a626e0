-- A number for a size.
--- use market
--- sql
SELECT window_start, COUNT(*) FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), 10)) GROUP BY window_start, window_end;
--- error
LV-1014
the size of TUMBLE must be an interval literal
line 1, column 42
hint: such as INTERVAL '10' SECOND
