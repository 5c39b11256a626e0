-- EXCEPT ALL would have to count equal rows.
--- use bids
--- sql
SELECT price FROM bids EXCEPT ALL SELECT auction FROM bids;
--- error
LV-1011
EXCEPT ALL
