-- A text that is no timestamp.
--- use market
--- sql
SELECT price FROM bids WHERE ts > 'yesterday';
--- error
LV-1019
'yesterday' is no timestamp
line 1, column 1
hint: write it as in TIMESTAMP '2026-01-31 12:00:00'
