-- A Cyrillic letter in the name of a column.
--- use market
--- sql
SELECT рrice FROM bids;
--- error
LV-1003
column рrice does not exist
line 1, column 8
hint: did you mean price?
