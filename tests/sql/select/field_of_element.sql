-- A field of a ROW within an ARRAY, and columns without names.
--- file t.json
{"a": [{"q": 1, "r": "x"}, {"q": 2, "r": "y"}]}
--- sql
CREATE TABLE t (a ARRAY<ROW<q INT, r STRING>>) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT a[2].r AS r, a[1].q + 1, 1 FROM t;
--- rows
r | a[1].q + 1 | 1
y | 2 | 1
