-- The first of nothing.
--- file t.json
--- sql
CREATE TABLE t (id INT, k STRING, v INT) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT id, rn FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v) AS rn FROM t) WHERE rn <= 3;
--- rows
id | rn
