-- INSERT INTO a table of JSON files.
--- use bids
--- sql
CREATE TABLE out_ (bidder BIGINT, price INT, item STRING) WITH ('connector' = 'filesystem', 'path' = '{dir}/out', 'format' = 'json');
INSERT INTO out_ SELECT bidder, price * 2, item FROM bids WHERE auction = 1;
--- rows out_
bidder | price | item
10 | 10 | pen
11 | 6 | pen
10 | 18 | NULL
12 | 2 | pen
