-- Whichever rows come first are there for ever, so files take them.
--- use sales
--- sql
CREATE TABLE out_ (shop STRING) WITH ('connector' = 'filesystem', 'path' = '{dir}/out', 'format' = 'json');
INSERT INTO out_ SELECT shop FROM sales QUALIFY ROW_NUMBER() OVER (PARTITION BY shop ORDER BY PROCTIME()) <= 2;
--- rows out_
shop
a
a
b
b
c
NULL
NULL
