-- Another query of a view, under another name.
--- use bids
--- sql
CREATE VIEW v AS SELECT price FROM bids WHERE price > 8;
ALTER VIEW v AS SELECT price, auction FROM bids WHERE price < 4;
ALTER VIEW v RENAME TO w;
SELECT * FROM w;
--- rows
price | auction
1 | 1
3 | 1
