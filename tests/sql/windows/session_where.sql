-- WHERE upon SESSION chooses rows of sessions that all rows have made, and sessions that have such a row.
--- file clicks.json
{"id": 1, "k": 1, "ts": "2026-01-01 00:00:01.000"}
{"id": 2, "k": 1, "ts": "2026-01-01 00:00:02.500"}
{"id": 3, "k": 1, "ts": "2026-01-01 00:00:10.000"}
{"id": 4, "k": 2, "ts": "2026-01-01 00:00:11.000"}
{"id": 5, "k": 2, "ts": "2026-01-01 00:00:12.000"}
{"id": 6, "k": 3, "ts": "2026-01-01 00:00:12.000"}
--- sql
CREATE TABLE clicks (id INT NOT NULL, k INT, ts TIMESTAMP(3) NOT NULL, WATERMARK FOR ts AS ts - INTERVAL '20' SECOND)
WITH ('connector' = 'filesystem', 'path' = '{dir}/clicks.json', 'format' = 'json');
SELECT k, window_start AS s, window_end AS e, COUNT(*) AS n, SUM(10 / (id - 2)) AS q, MAX(id) FILTER (WHERE id < 5) AS m
FROM TABLE(SESSION(TABLE clicks PARTITION BY k, DESCRIPTOR(ts), INTERVAL '2' SECOND))
WHERE id <> 2 AND id <> 3 AND k < 3 GROUP BY k, window_start, window_end;
--- rows
k | s | e | n | q | m
1 | 2026-01-01 00:00:01 | 2026-01-01 00:00:04.5 | 1 | -10 | 1
2 | 2026-01-01 00:00:11 | 2026-01-01 00:00:14 | 2 | 8 | 4
