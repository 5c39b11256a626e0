-- The raw format holds one column, one line a row.
--- file t.json
{"s": "one"}
{"s": "two words"}
--- sql
CREATE TABLE t (s STRING) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
CREATE TABLE out_ (s STRING) WITH ('connector' = 'filesystem', 'path' = '{dir}/out', 'format' = 'raw');
INSERT INTO out_ SELECT UPPER(s) FROM t;
--- lines out
ONE
TWO WORDS
