-- A path that does not exist.
--- sql
CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'path' = '{dir}/nowhere', 'format' = 'json');
SELECT * FROM t;
--- error
LV-
nowhere
