-- The least BIGINT has no negative.
--- file t.json
{"a": -9223372036854775808}
--- sql
CREATE TABLE t (a BIGINT) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT -a AS b FROM t;
--- error
LV-3002
overflows BIGINT
