-- A view that reads a column which is gone says so when it is used.
--- use bids
--- sql
CREATE VIEW v AS SELECT price, item FROM bids;
ALTER TABLE bids DROP item;
SELECT price FROM v;
--- error
LV-1003
column item does not exist
in view v
line 3, column 19
