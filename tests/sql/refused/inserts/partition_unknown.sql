-- A partition column that does not exist.
--- use market
--- sql
INSERT INTO files PARTITION (day = 'x') SELECT auction, 1 FROM bids;
--- error
LV-1003
column day does not exist in table files
line 1, column 30
