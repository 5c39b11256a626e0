-- A temporary view lies over a table of the same name until it is dropped.
--- use bids
--- sql
CREATE TEMPORARY VIEW bids AS SELECT 1 AS one;
CREATE VIEW seen AS SELECT * FROM bids;
SELECT * FROM seen;
--- rows
one
1
