-- A mistyped column in ORDER BY.
--- use market
--- sql
SELECT price FROM bids ORDER BY prise LIMIT 2;
--- error
LV-1003
column prise does not exist
line 1, column 33
hint: did you mean price?
