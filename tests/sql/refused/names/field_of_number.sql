-- A field of a column that is no ROW.
--- use market
--- sql
SELECT price.amount FROM bids;
--- error
LV-1003
price has no field amount: it is INT, not a ROW
line 1, column 14
