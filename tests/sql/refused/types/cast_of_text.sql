-- A text that is no number.
--- use market
--- sql
SELECT CAST('abc' AS INT) FROM bids;
--- error
LV-1019
'abc' is no INT
line 1, column 1
hint: write a value of that type; TRY_CAST gives NULL where a text is none
