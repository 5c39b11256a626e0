-- Bad rows can be passed over.
--- file t.json
{"a": 1}
{"a": 
{"a": "no number"}
[1]
{"a": 3}
--- sql
CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json', 'json.ignore-parse-errors' = 'true');
SELECT a FROM t WHERE a IS NOT NULL;
--- rows
a
1
3
