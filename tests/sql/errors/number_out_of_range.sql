-- A JSON number that does not fit its column.
--- file t.json
{"a": 128}
--- sql
CREATE TABLE t (a TINYINT) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT a FROM t;
--- error
LV-3002
t.json
128
