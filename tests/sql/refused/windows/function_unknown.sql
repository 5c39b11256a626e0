-- A mistyped window.
--- use market
--- sql
SELECT window_start, COUNT(*) FROM TABLE(TUMBEL(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end;
--- error
LV-1011
the table function TUMBEL is not supported
line 1, column 42
hint: did you mean TUMBLE?
