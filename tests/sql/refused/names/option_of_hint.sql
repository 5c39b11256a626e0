-- A mistyped option in a hint.
--- use market
--- sql
SELECT * FROM bids /*+ OPTIONS('pathh' = 'x') */;
--- error
LV-1005
table 'bids': unknown option 'pathh'
line 1, column 1
hint: did you mean 'path'?
