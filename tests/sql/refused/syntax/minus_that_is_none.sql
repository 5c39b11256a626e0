-- A minus sign that is not that of ASCII.
--- use market
--- sql
SELECT price − 1 FROM bids;
--- error
LV-1001
expected the end of the statement, found −
line 1, column 14
hint: write the minus sign of ASCII: -
