-- An alias that does not exist.
--- use market
--- sql
SELECT x.price FROM bids AS b;
--- error
LV-1003
column x.price does not exist
line 1, column 8
hint: did you mean b.price?
