-- TINYINT and SMALLINT add up as BIGINT.
--- file t.json
{"a": 127, "b": 32767}
{"a": 127, "b": 32767}
{"a": -128, "b": 1}
--- sql
CREATE TABLE t (a TINYINT, b SMALLINT) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT SUM(a) AS a, SUM(b) AS b, MAX(a) AS m, AVG(b) AS mean FROM t;
--- rows
a | b | m | mean
126 | 65535 | 127 | 21845.0
