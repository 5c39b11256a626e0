-- The sum of texts.
--- use market
--- sql
SELECT SUM(item) FROM bids;
--- error
LV-1008
SUM does not take STRING
line 1, column 8
hint: use CAST(… AS …) to give it a value of a type that it takes
