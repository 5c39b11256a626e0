-- A number that a view gives must have an upper limit where the view is read.
--- use bids
--- sql
CREATE VIEW numbered AS SELECT price, ROW_NUMBER() OVER (ORDER BY price DESC) AS rn FROM bids WHERE price > 7;
SELECT * FROM numbered;
--- error streaming
LV-1011
ROW_NUMBER() OVER without an upper limit
in view numbered
--- rows
price | rn
9 | 1
8 | 2
