-- A mistyped column.
--- use market
--- sql
INSERT INTO files (auction, nn) SELECT auction, 1 FROM bids;
--- error
LV-1003
column nn does not exist in table files
line 1, column 29
hint: did you mean n?
