-- A limit that is no number.
--- use market
--- sql
SELECT price FROM bids LIMIT 'x';
--- error
LV-1008
LIMIT needs a whole number, and is given STRING
line 1, column 1
hint: write it without quotes, as in LIMIT 10
