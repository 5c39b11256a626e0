-- Rows go by what they are where the row before an update is logged; one of two equal ones goes.
--- whole
--- file log.json
{"op": "INSERT", "k": "a", "v": 1}
{"op": "INSERT", "k": "a", "v": 1}
{"op": "UPDATE_BEFORE", "k": "a", "v": 1}
{"op": "UPDATE_AFTER", "k": "a", "v": 2}
{"op": "INSERT", "k": "a", "v": 1}
{"op": "DELETE", "k": "a", "v": 1}
{"op": "INSERT", "k": "b", "v": 5}
{"op": "INSERT", "k": null, "v": null}
--- sql
CREATE TABLE log (op STRING, k STRING, v INT) WITH ('connector' = 'filesystem', 'path' = '{dir}/log.json', 'format' = 'json');
SELECT * FROM FROM_CHANGELOG(input => TABLE log);
--- rows
k | v
a | 2
a | 1
b | 5
NULL | NULL
