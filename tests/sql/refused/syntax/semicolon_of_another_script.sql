-- A semicolon that is not that of ASCII.
--- use market
--- sql
SELECT price FROM bids；
--- error
LV-1001
expected the end of the statement, found ；
line 1, column 23
hint: write the semicolon of ASCII: ;
