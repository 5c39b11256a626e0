-- The first in an order of BYTES, and of TIME.
--- file t.json
{"id": 1, "b": "QQ==", "t": "08:30:00"}
{"id": 2, "b": "Qg==", "t": "07:30:00"}
{"id": 3, "b": null, "t": "09:30:00"}
--- sql
CREATE TABLE t (id INT, b BYTES, t TIME)
WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT id, 'b' AS o FROM (SELECT *, ROW_NUMBER() OVER (ORDER BY b DESC) AS rn FROM t) WHERE rn <= 2
UNION ALL SELECT id, 't' FROM t QUALIFY RANK() OVER (ORDER BY t) = 1;
--- rows
id | o
2 | b
3 | b
2 | t
