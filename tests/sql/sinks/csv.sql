-- INSERT INTO a table of CSV files; a separator in a text is quoted.
--- file t.json
{"a": 1, "s": "plain"}
{"a": 2, "s": "with, comma"}
--- sql
CREATE TABLE t (a INT, s STRING) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
CREATE TABLE out_ (a INT, s STRING) WITH ('connector' = 'filesystem', 'path' = '{dir}/out', 'format' = 'csv');
INSERT INTO out_ SELECT * FROM t;
--- lines out
1,plain
2,"with, comma"
--- rows out_
a | s
1 | plain
2 | with, comma
