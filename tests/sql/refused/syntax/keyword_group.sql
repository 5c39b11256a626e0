-- A mistyped GROUP.
--- use market
--- sql
SELECT item, COUNT(*) FROM bids GROPU BY item;
--- error
LV-1001
expected the end of the statement, found BY
line 1, column 33
hint: did you mean GROUP instead of GROPU?
