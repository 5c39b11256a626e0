-- A format that does not exist.
--- sql
CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'path' = 'x', 'format' = 'jsn');
SELECT * FROM t;
--- error
jsn
json
