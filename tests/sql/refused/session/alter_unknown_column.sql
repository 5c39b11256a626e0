-- ALTER of a column that does not exist.
--- use market
--- sql
ALTER TABLE bids DROP prise;
--- error
LV-1003
column prise does not exist in this table
line 1, column 23
hint: did you mean price?
