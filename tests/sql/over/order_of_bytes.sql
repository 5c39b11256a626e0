-- An order of BYTES, TIME or TIMESTAMP_LTZ; there are no distances in some of these, and none are asked for.
--- file t.json
{"id": 1, "b": "QQ==", "t": "08:30:00", "v": 1}
{"id": 2, "b": "Qg==", "t": "07:30:00", "v": 2}
{"id": 3, "b": "QQ==", "t": "09:30:00", "v": 4}
{"id": 4, "b": null, "t": "07:30:00", "v": 8}
--- sql
CREATE TABLE t (id INT, b BYTES, t TIME, v INT)
WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT id, SUM(v) OVER (ORDER BY b) AS s, RANK() OVER (ORDER BY b DESC, t) AS r, COUNT(*) OVER (ORDER BY t) AS n,
  SUM(v) OVER (ORDER BY t, b GROUPS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS left_over FROM t;
--- rows
id | s | r | n | left_over
1 | 5 | 3 | 3 | 5
2 | 7 | 2 | 2 | 15
3 | 5 | 4 | 4 | 4
4 | 15 | 1 | 2 | 13
