-- A limit below zero.
--- use market
--- sql
SELECT price FROM bids LIMIT -1;
--- error
LV-1018
LIMIT -1 is below zero
line 1, column 1
hint: give a number of rows, or leave LIMIT out
