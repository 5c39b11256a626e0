-- DATE_FORMAT with Java patterns.
--- file t.json
{"ts": "2024-02-29 03:58:07.125"}
{"ts": null}
--- sql
CREATE TABLE t (ts TIMESTAMP(3)) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT DATE_FORMAT(ts, 'yyyy-MM-dd') AS d, DATE_FORMAT(ts, 'HH:mm:ss.SSS') AS t, DATE_FORMAT(ts, 'yy/M/d') AS s FROM t;
--- rows
d | t | s
2024-02-29 | 03:58:07.125 | 24/2/29
NULL | NULL | NULL
