-- A view over a view, with names of its own.
--- use bids
--- sql
CREATE VIEW dear AS SELECT auction, price FROM bids WHERE price > 6;
CREATE TEMPORARY VIEW dearer (a, p) AS SELECT auction, price * 10 FROM dear WHERE price > 7;
SELECT p, a FROM dearer;
--- rows
p | a
90 | 1
80 | 3
