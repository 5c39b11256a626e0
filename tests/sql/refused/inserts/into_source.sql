-- A table that can only be read.
--- use market
--- sql
CREATE TABLE g (a INT) WITH ('connector' = 'datagen');
INSERT INTO g SELECT price FROM bids;
--- error
LV-1007
table 'g': the connector 'datagen' only makes rows and cannot be written
line 2, column 13
