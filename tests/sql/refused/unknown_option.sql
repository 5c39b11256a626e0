-- An option that does not exist, with the nearest that does.
--- sql
CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'pathh' = 'x', 'path' = 'y', 'format' = 'json');
SELECT * FROM t;
--- error
pathh
path
