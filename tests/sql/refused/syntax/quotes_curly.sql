-- Quotes of a word processor.
--- use market
--- sql
SELECT price FROM bids WHERE item = ‘pen’;
--- error
LV-1001
expected an expression, found ‘
line 1, column 37
hint: texts stand in straight single quotes: 'text'
