-- Late rows go to a table of the user's, and not into the windows.
--- whole
--- skip batch: late rows exist only in streams
--- file t.json
{"v": 1, "ts": "2026-01-01 00:00:01"}
{"v": 2, "ts": "2026-01-01 00:00:30"}
{"v": 4, "ts": "2026-01-01 00:00:05"}
{"v": 8, "ts": "2026-01-01 00:00:29"}
--- sql
CREATE TABLE late (v INT, ts TIMESTAMP(3)) WITH ('connector' = 'filesystem', 'path' = '{dir}/late', 'format' = 'csv');
CREATE TABLE t (v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '2' SECOND) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json', 'late-rows.table' = 'late');
CREATE TABLE sums (w TIMESTAMP(3), s BIGINT) WITH ('connector' = 'filesystem', 'path' = '{dir}/sums', 'format' = 'csv');
INSERT INTO sums SELECT window_start, SUM(v) FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end;
--- rows sums
w | s
2026-01-01 00:00:00 | 1
2026-01-01 00:00:20 | 8
2026-01-01 00:00:30 | 2
--- rows late
v | ts
4 | 2026-01-01 00:00:05
