-- A parenthesis that closes nothing.
--- use market
--- sql
SELECT COUNT(price)) FROM bids;
--- error
LV-1001
expected the end of the statement, found )
line 1, column 20
hint: there is no ( that it closes
