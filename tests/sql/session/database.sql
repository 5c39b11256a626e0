-- Names are found from the current database; full names from anywhere.
--- use bids
--- sql
CREATE DATABASE IF NOT EXISTS other COMMENT 'for tests';
CREATE VIEW other.cheap AS SELECT price FROM bids WHERE price < 4;
USE other;
CREATE VIEW cheaper AS SELECT price FROM cheap WHERE price < 3;
USE default_database;
SELECT a.price, b.price AS less FROM other.cheap AS a JOIN default_catalog.other.cheaper AS b ON a.price >= b.price;
--- rows
price | less
1 | 1
3 | 1
