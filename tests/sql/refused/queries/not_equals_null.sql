-- A comparison with NULL.
--- use market
--- sql
SELECT price FROM bids WHERE price <> NULL;
--- error
LV-1018
<> NULL is never true, whatever it is compared with
line 1, column 39
hint: write IS NOT NULL
