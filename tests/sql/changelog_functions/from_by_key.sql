-- A log of upserts and deletes by key; one of a key that is not there.
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
SELECT * FROM FROM_CHANGELOG(input => TABLE log PARTITION BY id, op => DESCRIPTOR(c), op_mapping => MAP['c, r', 'INSERT', 'u', 'UPDATE_AFTER', 'd', 'DELETE']);
--- rows
id | v
1 | 11
2 | 21
3 | 31
