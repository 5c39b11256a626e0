-- A field of an element of an array of ROWs.
--- file t.json
{"orders": [{"id": 1, "tags": ["x", "y"]}, {"id": 2, "tags": []}]}
{"orders": []}
--- sql
CREATE TABLE t (orders ARRAY<ROW<id INT, tags ARRAY<STRING>>>) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT orders[2].id AS id, orders[1].tags[2] AS tag FROM t;
--- rows
id | tag
2 | y
NULL | NULL
