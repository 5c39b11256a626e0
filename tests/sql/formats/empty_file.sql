-- A file without rows.
--- file t.json
--- sql
CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT COUNT(*) AS n FROM t;
--- rows
n
0
