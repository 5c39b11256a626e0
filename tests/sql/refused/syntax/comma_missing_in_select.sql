-- Columns without a comma between.
--- use market
--- sql
SELECT auction price item FROM bids;
--- error
LV-1001
expected the end of the statement, found item
line 1, column 22
hint: a comma or an operator may be missing in front of it
