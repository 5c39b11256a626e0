-- EXTRACT and its short forms.
--- file t.json
{"ts": "2024-02-29 23:58:07.125"}
--- sql
CREATE TABLE t (ts TIMESTAMP(3)) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT YEAR(ts) AS y, MONTH(ts) AS m, DAYOFMONTH(ts) AS d, HOUR(ts) AS h, MINUTE(ts) AS mi, SECOND(ts) AS s, EXTRACT(DOY FROM ts) AS doy, QUARTER(ts) AS q FROM t;
--- rows
y | m | d | h | mi | s | doy | q
2024 | 2 | 29 | 23 | 58 | 7 | 60 | 1
