-- A number that does not fit a DECIMAL.
--- file t.json
{"a": 12345}
--- sql
CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT CAST(a AS DECIMAL(4, 2)) AS d FROM t;
--- error
LV-3002
