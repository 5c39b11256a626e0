-- So does a row without one.
--- file log.json
{"op": null, "v": 3}
--- sql
CREATE TABLE log (op STRING, v INT) WITH ('connector' = 'filesystem', 'path' = '{dir}/log.json', 'format' = 'json');
SELECT v FROM FROM_CHANGELOG(input => TABLE log);
--- error
LV-3002
op is NULL
