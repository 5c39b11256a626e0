-- A comma too many at the end of SELECT.
--- use market
--- sql
SELECT auction, price, FROM bids;
--- error
LV-1001
expected an expression, found FROM
line 1, column 24
hint: the comma in front of it is one too many
