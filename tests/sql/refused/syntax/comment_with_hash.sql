-- A comment of MySQL.
--- use market
--- sql
SELECT price FROM bids # all of them;
--- error
LV-1001
expected the end of the statement, found #
line 1, column 24
hint: comments begin with --
