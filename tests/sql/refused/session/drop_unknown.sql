-- DROP of a mistyped table.
--- use market
--- sql
DROP TABLE bidz;
--- error
LV-1002
table or view bidz does not exist
line 1, column 12
hint: did you mean bids?
