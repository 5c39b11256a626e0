-- A name that is taken.
--- use bids
--- sql
CREATE TABLE bids (a INT) WITH ('connector' = 'filesystem', 'path' = 'x', 'format' = 'json');
--- error
LV-1010
bids
line 1, column 14
