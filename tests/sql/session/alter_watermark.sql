-- A watermark that ALTER declares makes windows of event time possible.
--- file t.json
{"at": "2026-01-01 00:00:01"}
{"at": "2026-01-01 00:00:09"}
{"at": "2026-01-01 00:00:12"}
--- sql
CREATE TABLE t (`at` TIMESTAMP(3)) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
ALTER TABLE t ADD WATERMARK FOR `at` AS `at` - INTERVAL '20' SECOND;
SELECT window_end, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(`at`), INTERVAL '10' SECOND)) GROUP BY window_start, window_end;
--- rows
window_end | n
2026-01-01 00:00:10 | 2
2026-01-01 00:00:20 | 1
