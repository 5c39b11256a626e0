-- A text that is no number.
--- file t.json
{"a": "12x"}
--- sql
CREATE TABLE t (a STRING) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT CAST(a AS INT) AS n FROM t;
--- error
LV-3002
12x
