-- A window that is selected and not grouped by.
--- use market
--- sql
SELECT item, window_start, COUNT(*) FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY item;
--- error
LV-1018
window_start in SELECT is neither in GROUP BY nor within an aggregate
line 1, column 14
hint: add it to GROUP BY, or say which value of a group is meant, such as MAX(window_start)
