-- ORDER without BY.
--- use market
--- sql
SELECT price FROM bids ORDER price LIMIT 3;
--- error
LV-1001
expected the end of the statement, found ORDER
line 1, column 24
hint: did you mean ORDER BY?
