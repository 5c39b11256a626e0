-- A parameter of a prepared statement.
--- use market
--- sql
SELECT price FROM bids WHERE price > ?;
--- error
LV-1011
the parameter ? has no value
line 1, column 1
hint: parameters and variables are not supported: write the value itself
