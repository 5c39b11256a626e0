-- A unit that there is not.
--- use market
--- sql
SELECT window_start, COUNT(*) FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SEC)) GROUP BY window_start, window_end;
--- error
LV-1001
expected ), found SEC
line 1, column 91
hint: did you mean SECOND?
