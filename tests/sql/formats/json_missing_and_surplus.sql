-- A missing field is NULL; fields that the table does not have are passed over.
--- file t.json
{"a": 1, "other": {"deep": [1, {"b": 5}]}, "b": 2}
{"b": 3, "a": null}
{}
--- sql
CREATE TABLE t (a INT, b INT) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT * FROM t;
--- rows
a | b
1 | 2
NULL | 3
NULL | NULL
