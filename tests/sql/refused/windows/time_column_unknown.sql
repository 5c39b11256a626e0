-- A mistyped time column.
--- use market
--- sql
SELECT window_start, COUNT(*) FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(tss), INTERVAL '10' SECOND)) GROUP BY window_start, window_end;
--- error
LV-1003
column tss does not exist
line 1, column 72
hint: did you mean ts?
