-- Overflow is an error and never wraps.
--- file t.json
{"a": 9223372036854775807}
--- sql
CREATE TABLE t (a BIGINT) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT a + 1 AS b FROM t;
--- error
LV-3002
verflow
