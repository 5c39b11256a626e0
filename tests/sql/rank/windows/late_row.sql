-- A bid behind the end of its window counts nowhere: what it would have changed has gone out.
--- whole
--- skip batch: late rows exist only in streams
--- file t.json
{"v": 5, "ts": "2026-01-01 00:00:01"}
{"v": 1, "ts": "2026-01-01 00:00:30"}
{"v": 9, "ts": "2026-01-01 00:00:02"}
{"v": 4, "ts": "2026-01-01 00:00:31"}
--- sql
SET 'pipeline.batch-rows' = '1';
SET 'parallelism.default' = '1';
CREATE TABLE t (v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT window_start, v FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND))
QUALIFY ROW_NUMBER() OVER (PARTITION BY window_start, window_end ORDER BY v DESC) = 1;
--- rows
window_start | v
2026-01-01 00:00:00 | 5
2026-01-01 00:00:30 | 4
