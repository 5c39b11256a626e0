-- More names than columns.
--- use market
--- sql
CREATE VIEW v (a, b) AS SELECT price FROM bids;
--- error
LV-1018
the view names 2 columns, and its query has 1
line 1, column 25
