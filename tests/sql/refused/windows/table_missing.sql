-- A table without TABLE.
--- use market
--- sql
SELECT window_start, COUNT(*) FROM TABLE(TUMBLE(bids, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end;
--- error
LV-1014
the arguments of TUMBLE do not fit
line 1, column 42
hint: write TUMBLE(TABLE t, DESCRIPTOR(ts), size [, offset])
