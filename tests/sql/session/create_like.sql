-- LIKE takes columns, computed columns and options; what is said anew replaces options.
--- use bids
--- file other.json
{"auction": 1, "price": 10}
--- sql
CREATE TABLE b (auction BIGINT, price INT, twice AS price * 2)
WITH ('connector' = 'filesystem', 'path' = '{dir}/nowhere', 'format' = 'json');
CREATE TABLE t (thrice AS price * 3) WITH ('path' = '{dir}/other.json') LIKE b;
SELECT * FROM t;
--- rows
auction | price | twice | thrice
1 | 10 | 20 | 30
