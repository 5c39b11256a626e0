-- In order of event time rows are given once, so that files can take them.
--- use sales
--- sql
CREATE TABLE out (id INT, s BIGINT) WITH ('connector' = 'filesystem', 'path' = '{dir}/out', 'format' = 'csv');
INSERT INTO out SELECT id, SUM(amount) OVER (PARTITION BY shop ORDER BY ts ROWS 1 PRECEDING) FROM sales WHERE shop = 'a';
--- lines out
4,5
1,10
7,13
3,17
11,18
