-- A computed column in the table, used in the next one's place.
--- file t.json
{"a": 2, "b": 3}
{"a": null, "b": 1}
--- sql
CREATE TABLE t (a INT, b INT, s AS a + b, u AS CONCAT('n', CAST(b AS STRING))) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT u, s * 2 AS d FROM t;
--- rows
u | d
n3 | 10
n1 | NULL
