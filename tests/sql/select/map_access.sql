-- Values of a MAP by key; a key that does not exist gives NULL.
--- file t.json
{"m": {"a": 1, "b": 2}}
{"m": {"b": null}}
{"m": {}}
{"m": null}
--- sql
CREATE TABLE t (m MAP<STRING, INT>) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT m, m['a'] AS a, m['b'] AS b FROM t;
--- rows
m | a | b
{a: 1, b: 2} | 1 | 2
{b: NULL} | NULL | NULL
{} | NULL | NULL
NULL | NULL | NULL
