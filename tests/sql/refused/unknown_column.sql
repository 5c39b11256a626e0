-- A column that does not exist, with the nearest that does.
--- use bids
--- sql
SELECT bidder,
       prise FROM bids;
--- error
LV-1003
line 2, column 8
price
