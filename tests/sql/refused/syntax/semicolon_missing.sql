-- Two statements without a semicolon between.
--- use market
--- sql
SELECT price FROM bids
SELECT item FROM bids;
--- error
LV-1001
expected the end of the statement, found SELECT
line 2, column 1
hint: a semicolon is missing in front of it
