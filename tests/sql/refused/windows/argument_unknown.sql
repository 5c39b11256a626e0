-- A named argument that there is not.
--- use market
--- sql
SELECT window_start, COUNT(*) FROM TABLE(TUMBLE(DATA => TABLE bids, TIMECOL => DESCRIPTOR(ts), LENGTH => INTERVAL '10' SECOND)) GROUP BY window_start, window_end;
--- error
LV-1014
TUMBLE has no argument LENGTH
line 1, column 96
hint: its arguments are DATA, TIMECOL, SIZE, OFFSET
