-- A mistyped word at the beginning.
--- use market
--- sql
SELEC price FROM bids;
--- error
LV-1001
SELEC does not begin a statement
line 1, column 1
hint: did you mean SELECT?
