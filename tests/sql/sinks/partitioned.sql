-- PARTITIONED BY makes a folder for each value.
--- use bids
--- sql
CREATE TABLE out_ (bidder BIGINT, price INT, item STRING) PARTITIONED BY (item) WITH ('connector' = 'filesystem', 'path' = '{dir}/out', 'format' = 'csv');
INSERT INTO out_ SELECT bidder, price, item FROM bids WHERE price > 5;
--- lines out
item=ink: 11,7
item=ink: 12,7
item=__DEFAULT_PARTITION__: 10,9
item=cup: 11,6
item=cup: 10,8
--- rows out_
bidder | price | item
11 | 7 | ink
12 | 7 | ink
10 | 9 | NULL
11 | 6 | cup
10 | 8 | cup
