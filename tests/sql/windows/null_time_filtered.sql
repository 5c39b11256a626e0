-- Rows without a time can be filtered out in front of the window.
--- file t.json
{"v": 1, "ts": "2026-01-01 00:00:01"}
{"v": 2, "ts": null}
{"v": 3, "ts": "2026-01-01 00:00:02"}
--- sql
CREATE TABLE t (v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND)
WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
CREATE VIEW timely AS SELECT * FROM t WHERE ts IS NOT NULL;
SELECT window_start, SUM(v) AS s FROM TABLE(TUMBLE(TABLE timely, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end;
--- rows
window_start | s
2026-01-01 00:00:00 | 4
