-- DROP TEMPORARY takes away what lies over a table.
--- use bids
--- sql
CREATE TEMPORARY VIEW bids AS SELECT 1 AS one;
DROP TEMPORARY VIEW bids;
SELECT price FROM bids WHERE price > 8;
--- rows
price
9
