-- Two partition columns, one folder in the other.
--- use bids
--- sql
CREATE TABLE out_ (price INT, item STRING, bidder BIGINT) PARTITIONED BY (item, bidder) WITH ('connector' = 'filesystem', 'path' = '{dir}/out', 'format' = 'csv');
INSERT INTO out_ SELECT price, item, bidder FROM bids WHERE item = 'pen';
--- lines out
item=pen/bidder=10: 5
item=pen/bidder=11: 3
item=pen/bidder=12: 1
