-- A view has the columns that it was created with, whatever its table has got since.
--- file t.json
{"a": 1, "b": 2, "c": 3}
--- sql
CREATE TABLE t (a INT, b INT) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
CREATE VIEW v AS SELECT * FROM t;
ALTER TABLE t ADD c INT FIRST;
SELECT v.*, t.c FROM v JOIN t ON v.a = t.a;
--- rows
a | b | c
1 | 2 | 3
