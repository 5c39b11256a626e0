-- Rows in reverse order, within the bound of the watermark.
--- whole
--- file t.json
{"v": 1, "ts": "2026-01-01 00:00:29"}
{"v": 2, "ts": "2026-01-01 00:00:21"}
{"v": 4, "ts": "2026-01-01 00:00:15"}
{"v": 8, "ts": "2026-01-01 00:00:11"}
{"v": 16, "ts": "2026-01-01 00:00:03"}
{"v": 32, "ts": "2026-01-01 00:00:00"}
--- sql
CREATE TABLE t (v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '30' SECOND)
WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT window_end, SUM(v) AS s FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end;
--- rows
window_end | s
2026-01-01 00:00:10 | 48
2026-01-01 00:00:20 | 12
2026-01-01 00:00:30 | 3
