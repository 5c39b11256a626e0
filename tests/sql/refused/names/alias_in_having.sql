-- A mistyped alias.
--- use market
--- sql
SELECT item, SUM(price) AS total FROM bids GROUP BY item HAVING totl > 3;
--- error
LV-1003
column totl does not exist
line 1, column 65
hint: did you mean total?
