-- An option that must be given.
--- sql
CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'format' = 'json');
SELECT * FROM t;
--- error
path
