-- FLOOR and CEIL of a time to a unit.
--- file t.json
{"ts": "2024-02-29 23:58:07.125"}
--- sql
CREATE TABLE t (ts TIMESTAMP(3)) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT FLOOR(ts TO HOUR) AS h, CEIL(ts TO MINUTE) AS m, FLOOR(ts TO MONTH) AS mo FROM t;
--- rows
h | m | mo
2024-02-29 23:00:00 | 2024-02-29 23:59:00 | 2024-02-01 00:00:00
