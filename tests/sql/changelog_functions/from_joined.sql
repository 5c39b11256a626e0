-- What a log adds up to, in a join with another table.
--- use keyed
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
SELECT t.id, t.v, keyed.k FROM FROM_CHANGELOG(input => TABLE log PARTITION BY id, op => DESCRIPTOR(c), op_mapping => MAP['c, r', 'INSERT', 'u', 'UPDATE_AFTER', 'd', 'DELETE']) AS t
JOIN keyed ON keyed.id = t.id;
--- rows
id | v | k
1 | 11 | a
2 | 21 | b
3 | 31 | a
