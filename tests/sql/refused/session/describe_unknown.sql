-- DESCRIBE of a mistyped table.
--- use market
--- sql
DESCRIBE bidz;
--- error
LV-1002
table or view bidz does not exist
line 1, column 10
hint: did you mean bids?
