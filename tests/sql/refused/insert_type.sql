-- A text for a number.
--- use bids
--- sql
CREATE TABLE out_ (a TIMESTAMP(3)) WITH ('connector' = 'filesystem', 'path' = '{dir}/out', 'format' = 'json');
INSERT INTO out_ SELECT price > 1 FROM bids;
--- error
LV-1008
line 2
