-- SELECT DISTINCT counts NULL as a value.
--- use bids
--- sql
SELECT DISTINCT item FROM bids;
--- rows
item
pen
ink
NULL
cup
