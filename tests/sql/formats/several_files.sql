-- A folder with files in folders, of which some are hidden.
--- file in/a.json
{"v": 1}
--- file in/deep/b.json
{"v": 2}
{"v": 4}
--- file in/_hidden.json
{"v": 100}
--- sql
CREATE TABLE t (v INT) WITH ('connector' = 'filesystem', 'path' = '{dir}/in', 'format' = 'json');
SELECT SUM(v) AS s, COUNT(*) AS n FROM t;
--- rows
s | n
7 | 3
