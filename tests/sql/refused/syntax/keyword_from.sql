-- A mistyped FROM, which reads as an alias.
--- use market
--- sql
SELECT price FORM bids;
--- error
LV-1001
expected the end of the statement, found bids
line 1, column 14
hint: did you mean FROM instead of FORM?
