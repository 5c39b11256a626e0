-- More columns than the table has.
--- use bids
--- sql
CREATE TABLE out_ (a INT) WITH ('connector' = 'filesystem', 'path' = '{dir}/out', 'format' = 'json');
INSERT INTO out_ SELECT price, bidder FROM bids;
--- error
LV-10
line 2
