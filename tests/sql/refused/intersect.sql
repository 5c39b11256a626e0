-- INTERSECT is not supported yet on streams; batch does it.
--- use bids
--- sql
SELECT price FROM bids INTERSECT SELECT auction FROM bids;
--- error streaming
LV-1011
INTERSECT
--- rows
price
1
3
NULL
