-- A call that is not closed.
--- use market
--- sql
SELECT COUNT(price FROM bids;
--- error
LV-1001
expected ), found FROM
line 1, column 20
hint: a ( in front of it is not closed
