-- A row behind the watermark counts nowhere: what it would have changed has gone out.
--- whole
--- skip batch: late rows exist only in streams
--- file t.json
{"id": 1, "v": 1, "ts": "2026-01-01 00:00:10"}
{"id": 2, "v": 2, "ts": "2026-01-01 00:00:30"}
{"id": 3, "v": 4, "ts": "2026-01-01 00:00:05"}
{"id": 4, "v": 8, "ts": "2026-01-01 00:00:40"}
{"id": 5, "v": 16, "ts": null}
--- sql
SET 'pipeline.batch-rows' = '1';
SET 'parallelism.default' = '1';
CREATE TABLE t (id INT, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT id, SUM(v) OVER (ORDER BY ts) AS s FROM t;
--- rows
id | s
1 | 1
2 | 3
4 | 11
