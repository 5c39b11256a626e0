-- Counts of rows of a log, of which no column is read.
--- whole
--- file log.json
{"id": 1, "c": "c", "v": 10}
{"id": 2, "c": "c", "v": 20}
{"id": 1, "c": "u", "v": 11}
{"id": 3, "c": "r", "v": 30}
{"id": 2, "c": "d", "v": null}
{"id": 3, "c": "u", "v": 31}
{"id": 4, "c": "d", "v": null}
{"id": 2, "c": "c", "v": 21}
--- sql
CREATE TABLE log (id INT, c STRING, v INT) WITH ('connector' = 'filesystem', 'path' = '{dir}/log.json', 'format' = 'json');
SELECT COUNT(*) AS n FROM FROM_CHANGELOG(TABLE log PARTITION BY id, DESCRIPTOR(c), MAP['c, r', 'INSERT', 'u', 'UPDATE_AFTER', 'd', 'DELETE']);
--- rows
n
3
