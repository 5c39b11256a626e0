-- A connector that does not exist.
--- sql
CREATE TABLE t (a INT) WITH ('connector' = 'filesytem', 'path' = 'x', 'format' = 'json');
SELECT * FROM t;
--- error
LV-1015
filesystem
