-- A DECIMAL has no 39th digit.
--- file t.json
{"a": 60000000000000000000000000000000000000}
--- sql
CREATE TABLE t (a DECIMAL(38, 0)) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT a + a AS b FROM t;
--- error
LV-3002
overflows DECIMAL(38, 0)
