-- A variable of MySQL.
--- use market
--- sql
SELECT @x FROM bids;
--- error
LV-1011
the parameter @x has no value
line 1, column 1
hint: parameters and variables are not supported: write the value itself
