-- Bad rows go to a table of the user's.
--- whole
--- skip batch: rows are diverted by streams
--- file t.json
{"a": 1}
{"a": x}
{"a": 3}
--- sql
CREATE TABLE bad (payload BYTES, `position` STRING, error STRING) WITH ('connector' = 'filesystem', 'path' = '{dir}/bad', 'format' = 'json');
CREATE VIEW bad_text AS SELECT CAST(payload AS STRING) AS payload, `position` LIKE '%t.json%line 2%' AS placed, error IS NOT NULL AS explained FROM bad;
CREATE TABLE t (a INT) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json', 'bad-rows.table' = 'bad');
CREATE TABLE good (a INT) WITH ('connector' = 'filesystem', 'path' = '{dir}/good', 'format' = 'csv');
INSERT INTO good SELECT a FROM t;
--- rows good
a
1
3
--- rows bad_text
payload | placed | explained
"{"a": x}" | true | true
