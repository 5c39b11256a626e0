-- The name of a table that has an alias.
--- use market
--- sql
SELECT bids.price FROM bids AS b;
--- error
LV-1003
column bids.price does not exist
line 1, column 8
hint: did you mean b.price?
