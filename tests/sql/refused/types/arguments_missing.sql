-- An argument too few.
--- use market
--- sql
SELECT DATE_FORMAT(ts) FROM bids;
--- error
LV-1008
DATE_FORMAT takes 2 arguments, and 1 are given
line 1, column 8
