-- Tables of one name in two databases are two tables.
--- use bids
--- sql
CREATE DATABASE other;
CREATE TABLE sink (price INT) WITH ('connector' = 'filesystem', 'path' = '{dir}/one', 'format' = 'json');
CREATE TABLE other.sink (price INT) WITH ('connector' = 'filesystem', 'path' = '{dir}/two', 'format' = 'json');
EXECUTE STATEMENT SET BEGIN
INSERT INTO sink SELECT price FROM bids WHERE price > 8;
INSERT INTO default_catalog.other.sink SELECT price FROM bids WHERE price < 3;
END;
--- lines one
{"price":9}
--- lines two
{"price":1}
