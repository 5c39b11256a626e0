-- INSERT with a list of columns; the others are NULL.
--- use bids
--- sql
CREATE TABLE out_ (a STRING, b INT, c BIGINT) WITH ('connector' = 'filesystem', 'path' = '{dir}/out', 'format' = 'json');
INSERT INTO out_ (c, a) SELECT bidder, item FROM bids WHERE price = 3;
--- rows out_
a | b | c
pen | NULL | 11
