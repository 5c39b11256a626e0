-- A row that is no JSON fails the job and says where it stands.
--- whole
--- file t.json
{"a": 1}
{"a": 
{"a": 3}
--- sql
CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT a FROM t;
--- error
LV-3002
t.json
line 2
