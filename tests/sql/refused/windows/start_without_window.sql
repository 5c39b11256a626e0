-- TUMBLE_START without TUMBLE.
--- use market
--- sql
SELECT TUMBLE_START(ts, INTERVAL '10' SECOND), COUNT(*) FROM bids;
--- error
LV-1014
TUMBLE_START needs the same TUMBLE in GROUP BY
line 1, column 8
hint: its arguments must be those of the window in GROUP BY
