-- An argument too many.
--- use market
--- sql
SELECT UPPER(item, 1) FROM bids;
--- error
LV-1008
UPPER expects 1 arguments but received 2
line 1, column 8
