-- A mistyped table.
--- use market
--- sql
INSERT INTO filez SELECT auction, 1 FROM bids;
--- error
LV-1002
table or view filez does not exist
line 1, column 13
hint: did you mean files?
