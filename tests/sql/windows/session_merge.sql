-- A row that comes late but in time joins two sessions into one.
--- whole
--- file t.json
{"k": 1, "v": 1, "ts": "2026-01-01 00:00:00"}
{"k": 1, "v": 2, "ts": "2026-01-01 00:00:10"}
{"k": 2, "v": 4, "ts": "2026-01-01 00:00:10"}
{"k": 1, "v": 8, "ts": "2026-01-01 00:00:05"}
{"k": 2, "v": 16, "ts": "2026-01-01 00:00:18"}
--- sql
CREATE TABLE t (k INT, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '20' SECOND)
WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT k, window_start, window_end, SUM(v) AS s
FROM TABLE(SESSION(TABLE t PARTITION BY k, DESCRIPTOR(ts), INTERVAL '6' SECOND)) GROUP BY k, window_start, window_end;
--- rows
k | window_start | window_end | s
1 | 2026-01-01 00:00:00 | 2026-01-01 00:00:16 | 11
2 | 2026-01-01 00:00:10 | 2026-01-01 00:00:16 | 4
2 | 2026-01-01 00:00:18 | 2026-01-01 00:00:24 | 16
