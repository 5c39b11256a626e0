-- LIMIT with a comma, as in MySQL.
--- use market
--- sql
SELECT price FROM bids LIMIT 5, 10;
--- error
LV-1001
expected the end of the statement, found ,
line 1, column 31
hint: write LIMIT 10 OFFSET 5 for ten rows behind the first five
