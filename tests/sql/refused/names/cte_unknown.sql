-- A mistyped common table expression.
--- use market
--- sql
WITH a AS (SELECT price FROM bids) SELECT * FROM aa;
--- error
LV-1002
table or view aa does not exist
line 1, column 50
hint: did you mean a?
