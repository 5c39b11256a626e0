-- INTERSECT ALL would have to count equal rows.
--- use bids
--- sql
SELECT price FROM bids INTERSECT ALL SELECT auction FROM bids;
--- error
LV-1011
INTERSECT ALL
