-- A quoted name that is not closed.
--- use market
--- sql
SELECT `price FROM bids;
--- error
LV-1001
the quoted name that begins here has no closing quote
line 1, column 8
hint: texts stand in single quotes, names in backticks or double quotes
