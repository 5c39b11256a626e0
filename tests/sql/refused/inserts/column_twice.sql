-- A column that is named twice.
--- use market
--- sql
INSERT INTO files (auction, auction) SELECT auction, 1 FROM bids;
--- error
LV-1010
column auction is given twice
line 1, column 29
