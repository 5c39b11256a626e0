-- SHOW TABLES lists tables and views.
--- use bids
--- sql
CREATE VIEW cheap AS SELECT * FROM bids WHERE price < 5;
SHOW TABLES;
--- rows
table name
bids
cheap
