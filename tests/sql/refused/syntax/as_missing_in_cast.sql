-- A comma in CAST.
--- use market
--- sql
SELECT CAST(price, STRING) FROM bids;
--- error
LV-1001
expected AS, found ,
line 1, column 18
