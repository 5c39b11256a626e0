-- Division of integers by zero is an error.
--- file t.json
{"a": 1, "b": 0}
--- sql
CREATE TABLE t (a INT, b INT) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT a / b AS c FROM t;
--- error
LV-3002
ivi
zero
