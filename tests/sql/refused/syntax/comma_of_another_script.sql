-- A comma that is not that of ASCII.
--- use market
--- sql
SELECT price， item FROM bids;
--- error
LV-1001
expected the end of the statement, found ，
line 1, column 13
hint: write the comma of ASCII: ,
