-- An aggregate of nothing.
--- use market
--- sql
SELECT SUM() FROM bids;
--- error
LV-1008
SUM needs an argument
line 1, column 8
