-- Several keys with NULL in each.
--- file t.json
{"a": 1, "b": null, "v": 1}
{"a": null, "b": 1, "v": 2}
{"a": 1, "b": 1, "v": 4}
{"a": null, "b": null, "v": 8}
{"a": 1, "b": null, "v": 16}
{"a": null, "b": null, "v": 32}
--- sql
CREATE TABLE t (a INT, b INT, v INT) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT a, b, SUM(v) AS s FROM t GROUP BY a, b;
--- rows
a | b | s
1 | NULL | 17
NULL | 1 | 2
1 | 1 | 4
NULL | NULL | 40
