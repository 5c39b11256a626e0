-- A mistyped function.
--- use market
--- sql
SELECT CONCATT(item, 'x') FROM bids;
--- error
LV-1004
function concatt does not exist
line 1, column 8
hint: did you mean concat?
