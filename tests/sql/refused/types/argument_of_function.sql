-- A text where a number is needed.
--- use market
--- sql
SELECT ROUND(item, 2) FROM bids;
--- error
LV-1008
ROUND does not take STRING
line 1, column 8
hint: use CAST(… AS …) to give it a value of a type that it takes
