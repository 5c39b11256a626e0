-- Arrays count from 1; a place that does not exist is NULL.
--- file t.json
{"a": [5, 6, 7]}
{"a": [8]}
{"a": []}
{"a": null}
--- sql
CREATE TABLE t (a ARRAY<INT>) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT a, a[1] AS first_, a[3] AS third, CARDINALITY(a) AS n FROM t;
--- rows
a | first_ | third | n
[5, 6, 7] | 5 | 7 | 3
[8] | 8 | NULL | 1
[] | NULL | NULL | 0
NULL | NULL | NULL | NULL
