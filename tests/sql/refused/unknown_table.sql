-- A table that does not exist, with the nearest that does.
--- use bids
--- sql
SELECT *
FROM bidz;
--- error
LV-1002
line 2, column 6
bids
