-- A day that does not exist.
--- use market
--- sql
SELECT DATE '2026-13-40' FROM bids;
--- error
LV-1019
'2026-13-40' is no DATE
line 1, column 1
hint: write a value of that type; TRY_CAST gives NULL where a text is none
