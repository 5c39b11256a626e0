-- A window without a size.
--- use market
--- sql
SELECT window_start, COUNT(*) FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts))) GROUP BY window_start, window_end;
--- error
LV-1014
the arguments of TUMBLE do not fit
line 1, column 42
hint: write TUMBLE(TABLE t, DESCRIPTOR(ts), size [, offset])
