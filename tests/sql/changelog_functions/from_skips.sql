-- Rows with other codes, or none, are left out where the call says so.
--- file log.json
{"op": "c", "v": 1}
{"op": "x", "v": 2}
{"op": null, "v": 3}
{"op": "C", "v": 4}
{"op": "c", "v": 5}
--- sql
CREATE TABLE log (op STRING, v INT) WITH ('connector' = 'filesystem', 'path' = '{dir}/log.json', 'format' = 'json');
SELECT v FROM FROM_CHANGELOG(input => TABLE log, op_mapping => MAP['c', 'INSERT', 'd', 'DELETE'], error_handling => 'SKIP');
--- rows
v
1
5
