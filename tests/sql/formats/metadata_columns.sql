-- The name of the file as a column.
--- whole
--- file t.json
{"a": 1}
--- sql
CREATE TABLE t (a INT, file_name STRING METADATA FROM 'file.name' VIRTUAL) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT * FROM t;
--- rows
a | file_name
1 | t.json
