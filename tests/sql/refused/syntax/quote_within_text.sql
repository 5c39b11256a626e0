-- A quote within a text.
--- use market
--- sql
SELECT 'it's' FROM bids;
--- error
LV-1001
the string that begins here has no closing quote
line 1, column 13
hint: a single quote within a text is written twice, as in 'it''s'
