-- A mistyped BETWEEN.
--- use market
--- sql
SELECT price FROM bids WHERE price BETWEN 1 AND 3;
--- error
LV-1001
expected the end of the statement, found BETWEN
line 1, column 36
hint: did you mean BETWEEN?
