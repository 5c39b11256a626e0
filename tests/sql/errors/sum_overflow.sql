-- A sum that does not fit is an error.
--- file t.json
{"a": 9223372036854775807}
{"a": 9223372036854775807}
--- sql
CREATE TABLE t (a BIGINT) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT SUM(a) AS s FROM t;
--- error
LV-3002
verflow
