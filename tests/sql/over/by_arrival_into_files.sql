-- What looks back by arrival never changes.
--- use sales
--- sql
CREATE TABLE out_ (shop STRING, n BIGINT) WITH ('connector' = 'filesystem', 'path' = '{dir}/out', 'format' = 'json');
INSERT INTO out_ SELECT shop, COUNT(*) OVER (PARTITION BY shop ROWS UNBOUNDED PRECEDING) FROM sales;
--- rows out_
shop | n
NULL | 1
NULL | 2
a | 1
a | 2
a | 3
a | 4
a | 5
b | 1
b | 2
b | 3
b | 4
c | 1
