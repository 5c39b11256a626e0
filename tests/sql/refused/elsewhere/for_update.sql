-- FOR UPDATE.
--- use market
--- sql
SELECT * FROM bids FOR UPDATE;
--- error
LV-1011
FOR UPDATE is not supported
line 1, column 1
hint: leave it out: a query locks nothing
