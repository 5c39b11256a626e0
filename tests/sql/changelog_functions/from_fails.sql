-- A code that is not known fails the job.
--- file log.json
{"op": "c", "v": 1}
{"op": "x", "v": 2}
{"op": "C", "v": 4}
{"op": "c", "v": 5}
--- sql
CREATE TABLE log (op STRING, v INT) WITH ('connector' = 'filesystem', 'path' = '{dir}/log.json', 'format' = 'json');
SELECT v FROM FROM_CHANGELOG(input => TABLE log, op_mapping => MAP['c', 'INSERT', 'd', 'DELETE'], error_handling => 'FAIL') WHERE v > 0;
--- error
LV-3002
FROM_CHANGELOG does not know the code
the codes are 'c', 'd'
error_handling => 'SKIP'
