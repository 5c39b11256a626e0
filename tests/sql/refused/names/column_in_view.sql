-- The query of a view is checked at once.
--- use market
--- sql
CREATE VIEW v AS SELECT nope FROM bids;
--- error
LV-1003
column nope does not exist
line 1, column 25
