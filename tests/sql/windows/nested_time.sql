-- The time attribute is computed from a field of a ROW.
--- file t.json
{"e": {"v": 1, "at": "2026-01-01 00:00:01"}}
{"e": {"v": 2, "at": "2026-01-01 00:00:12"}}
{"e": {"v": 4, "at": "2026-01-01 00:00:13"}}
--- sql
CREATE TABLE t (e ROW<v INT, `at` TIMESTAMP(3)>, ts AS e.`at`, WATERMARK FOR ts AS ts - INTERVAL '2' SECOND)
WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT window_start, SUM(e.v) AS s FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end;
--- rows
window_start | s
2026-01-01 00:00:00 | 1
2026-01-01 00:00:10 | 6
