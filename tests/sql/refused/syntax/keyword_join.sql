-- A mistyped JOIN.
--- use market
--- sql
SELECT * FROM bids JION users ON item = name;
--- error
LV-1001
expected the end of the statement, found users
line 1, column 20
hint: did you mean JOIN instead of JION?
