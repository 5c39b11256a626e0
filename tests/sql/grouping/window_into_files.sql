-- Sets of windows only ever come.
--- use bids
--- sql
CREATE TABLE out_ (item STRING, n BIGINT) WITH ('connector' = 'filesystem', 'path' = '{dir}/out', 'format' = 'json');
INSERT INTO out_ SELECT item, COUNT(*) FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end, ROLLUP (item);
--- rows out_
item | n
cup | 1
ink | 1
pen | 2
NULL | 1
cup | 1
ink | 2
pen | 1
cup | 1
NULL | 4
NULL | 4
NULL | 1
NULL | 1
