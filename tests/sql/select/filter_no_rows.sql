-- No row passes.
--- use bids
--- sql
SELECT auction FROM bids WHERE price > 100;
--- rows
auction
