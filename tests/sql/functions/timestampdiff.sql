-- TIMESTAMPADD and TIMESTAMPDIFF count whole units.
--- file t.json
{"a": "2024-01-31 00:00:00", "b": "2024-03-01 12:30:00"}
--- sql
CREATE TABLE t (a TIMESTAMP(3), b TIMESTAMP(3)) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT TIMESTAMPDIFF(DAY, a, b) AS d, TIMESTAMPDIFF(HOUR, b, a) AS h, TIMESTAMPDIFF(MONTH, a, b) AS m, TIMESTAMPADD(HOUR, 5, a) AS p FROM t;
--- rows
d | h | m | p
30 | -732 | 1 | 2024-01-31 05:00:00
