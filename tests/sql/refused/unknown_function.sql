-- A function that does not exist.
--- use bids
--- sql
SELECT UPPERR(item) FROM bids;
--- error
LV-1004
line 1, column 8
upper
