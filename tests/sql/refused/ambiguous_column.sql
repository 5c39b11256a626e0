-- A name in other letters that fits two columns.
--- file t.json
{"Ab": 1, "aB": 2}
--- sql
CREATE TABLE t (Ab INT, aB INT) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT ab FROM t;
--- error
LV-1009
line 2, column 8
