-- HOP with one interval.
--- use market
--- sql
SELECT window_start, COUNT(*) FROM TABLE(HOP(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end;
--- error
LV-1014
the arguments of HOP do not fit
line 1, column 42
hint: write HOP(TABLE t, DESCRIPTOR(ts), slide, size [, offset])
