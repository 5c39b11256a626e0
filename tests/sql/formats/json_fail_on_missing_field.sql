-- A missing field can be an error.
--- file t.json
{"a": 1, "b": 2}
{"a": 1}
--- sql
CREATE TABLE t (a INT, b INT) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json', 'json.fail-on-missing-field' = 'true');
SELECT a, b FROM t;
--- error
LV-3002
t.json
b
