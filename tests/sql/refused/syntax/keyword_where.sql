-- A mistyped WHERE.
--- use market
--- sql
SELECT price FROM bids WERE price > 3;
--- error
LV-1001
expected the end of the statement, found price
line 1, column 24
hint: did you mean WHERE instead of WERE?
