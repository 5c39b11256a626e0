-- What is wrong with a function in a view is said where the view is read.
--- use bids
--- sql
CREATE VIEW near AS SELECT price, COUNT(*) OVER (ORDER BY price GROUPS 1 PRECEDING) AS n FROM bids WHERE price > 7;
SELECT * FROM near;
--- error streaming
LV-1011
a frame of GROUPS
in view near
--- rows
price | n
8 | 1
9 | 2
