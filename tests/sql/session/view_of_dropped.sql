-- A view whose table is gone says so when it is used.
--- use bids
--- sql
CREATE VIEW v AS SELECT price FROM bids;
DROP TABLE bids;
SELECT * FROM v;
--- error
LV-1002
bids does not exist
in view v
line 3, column 15
