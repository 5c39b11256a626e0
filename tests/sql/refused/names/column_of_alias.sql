-- A mistyped column behind an alias.
--- use market
--- sql
SELECT b.prise FROM bids AS b;
--- error
LV-1003
column b.prise does not exist
line 1, column 8
hint: did you mean price?
