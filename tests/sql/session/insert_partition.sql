-- PARTITION gives a column its value, and a list says which columns the query has.
--- use bids
--- sql
CREATE TABLE t (auction BIGINT, price INT, kind STRING) PARTITIONED BY (kind)
WITH ('connector' = 'filesystem', 'path' = '{dir}/out', 'format' = 'json');
INSERT INTO t PARTITION (kind = 'cheap') (price, auction) SELECT price, auction FROM bids WHERE price < 4;
--- lines out
kind=cheap: {"auction":1,"price":1}
kind=cheap: {"auction":1,"price":3}
