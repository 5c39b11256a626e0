-- Several tables in one DROP.
--- use bids
--- sql
CREATE TABLE a (x INT) WITH ('connector' = 'print');
CREATE TABLE b (x INT) WITH ('connector' = 'print');
DROP TABLE IF EXISTS a, b, c;
SHOW TABLES;
--- rows
table name
bids
