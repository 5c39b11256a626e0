-- Inserts alone make rows that only ever come, and keep their time.
--- file log.json
{"ts": "2026-01-01 00:00:01", "op": "c", "v": 1}
{"ts": "2026-01-01 00:00:04", "op": "r", "v": 2}
{"ts": "2026-01-01 00:00:12", "op": "c", "v": 3}
--- sql
CREATE TABLE log (ts TIMESTAMP(3), op STRING, v INT, WATERMARK FOR ts AS ts - INTERVAL '20' SECOND) WITH ('connector' = 'filesystem', 'path' = '{dir}/log.json', 'format' = 'json');
CREATE VIEW added AS SELECT * FROM FROM_CHANGELOG(input => TABLE log, op_mapping => MAP['c, r', 'INSERT']);
SELECT window_start, SUM(v) AS s FROM TABLE(TUMBLE(TABLE added, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end;
--- rows
window_start | s
2026-01-01 00:00:00 | 3
2026-01-01 00:00:10 | 3
