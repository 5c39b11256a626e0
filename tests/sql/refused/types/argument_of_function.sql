-- A text where a number is needed.
--- use market
--- sql
SELECT ROUND(item, 2) FROM bids;
--- error
LV-1008
argument 1 of ROUND must be a number, not STRING
line 1, column 8
hint: use CAST(… AS …) to give it a value of that type
