-- A column that is NOT NULL takes no NULL.
--- file t.json
{"a": 1}
{"a": null}
--- sql
CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
CREATE TABLE o (b BIGINT NOT NULL) WITH ('connector' = 'filesystem', 'path' = '{dir}/o', 'format' = 'json');
INSERT INTO o SELECT a FROM t;
--- error
LV-3002
column b is NOT NULL
