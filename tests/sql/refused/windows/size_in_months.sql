-- A window of a month.
--- use market
--- sql
SELECT window_start, COUNT(*) FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '1' MONTH)) GROUP BY window_start, window_end;
--- error
LV-1014
the size of TUMBLE cannot be in months or years, whose length varies
line 1, column 42
