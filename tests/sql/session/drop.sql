-- A dropped table is gone.
--- use bids
--- sql
DROP TABLE bids;
DROP TABLE IF EXISTS bids;
SELECT * FROM bids;
--- error
LV-1002
line 3, column 15
