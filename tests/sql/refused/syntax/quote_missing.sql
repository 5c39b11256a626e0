-- A text that is not closed.
--- use market
--- sql
SELECT price FROM bids WHERE item = 'pen;
--- error
LV-1001
the string that begins here has no closing quote
line 1, column 37
hint: a single quote within a text is written twice, as in 'it''s'
