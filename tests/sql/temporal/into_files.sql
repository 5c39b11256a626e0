-- Rows come once, so files take them.
--- use rates
--- sql
CREATE TABLE out (id INT, rate INT) WITH ('connector' = 'filesystem', 'path' = '{dir}/out', 'format' = 'csv');
INSERT INTO out SELECT t.id, r.rate FROM trades AS t
LEFT JOIN rates FOR SYSTEM_TIME AS OF t.ts AS r ON t.currency = r.currency WHERE t.id < 4;
--- lines out
1,
2,110
3,100
