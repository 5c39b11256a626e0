-- A ROW as a whole.
--- file t.json
{"id": 1, "p": {"x": 1, "y": "a"}}
{"id": 2, "p": null}
--- sql
CREATE TABLE t (id INT, p ROW<x INT, y STRING>) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT p, id FROM t;
--- rows
p | id
{x: 1, y: a} | 1
NULL | 2
