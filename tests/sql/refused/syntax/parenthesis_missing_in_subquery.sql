-- A subquery that is not closed.
--- use market
--- sql
SELECT * FROM (SELECT price FROM bids;
--- error
LV-1001
expected ), found the end of the statement
line 1, column 38
hint: a ( in front of it is not closed
