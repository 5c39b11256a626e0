-- A count over the first of nothing is 0.
--- file t.json
--- sql
CREATE TABLE t (id INT, k STRING, v INT) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT COUNT(*) AS n FROM (SELECT id FROM t ORDER BY v LIMIT 3);
--- rows
n
0
