-- AS creates a table with the columns of a query, and fills it.
--- use bids
--- skip stopped: the statement that is run again finds its table
--- skip overtaken: the statement that is run again finds its table
--- sql
CREATE TABLE cheap (note STRING, twice AS price * 2) WITH ('connector' = 'filesystem', 'path' = '{dir}/out', 'format' = 'json')
AS SELECT auction, price FROM bids WHERE price < 4;
--- rows cheap
note | twice | auction | price
NULL | 2 | 1 | 1
NULL | 6 | 1 | 3
--- lines out
{"note":null,"auction":1,"price":1}
{"note":null,"auction":1,"price":3}
