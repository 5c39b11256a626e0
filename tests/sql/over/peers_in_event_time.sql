-- Rows of one time count together in RANGE, and share a rank.
--- file t.json
{"id": 1, "k": "a", "v": 1, "ts": "2026-01-01 00:00:03"}
{"id": 2, "k": "a", "v": 2, "ts": "2026-01-01 00:00:01"}
{"id": 3, "k": "a", "v": 4, "ts": "2026-01-01 00:00:03"}
{"id": 4, "k": "b", "v": 8, "ts": "2026-01-01 00:00:03"}
{"id": 5, "k": "a", "v": 16, "ts": "2026-01-01 00:00:05"}
{"id": 6, "k": "b", "v": 32, "ts": "2026-01-01 00:00:03"}
{"id": 7, "k": "a", "v": 64, "ts": "2026-01-01 00:00:05"}
{"id": 8, "k": "a", "v": 128, "ts": "2026-01-01 00:00:04"}
--- sql
CREATE TABLE t (id INT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '10' SECOND)
WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT id, SUM(v) OVER w AS s, RANK() OVER w AS r, DENSE_RANK() OVER w AS d, SUM(v) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '1' SECOND PRECEDING AND CURRENT ROW) AS last, SUM(v) OVER (PARTITION BY k ORDER BY ts RANGE CURRENT ROW) AS own
FROM t WINDOW w AS (PARTITION BY k ORDER BY ts);
--- rows
id | s | r | d | last | own
2 | 2 | 1 | 1 | 2 | 2
1 | 7 | 2 | 2 | 5 | 5
3 | 7 | 2 | 2 | 5 | 5
8 | 135 | 4 | 3 | 133 | 128
5 | 215 | 5 | 4 | 208 | 80
7 | 215 | 5 | 4 | 208 | 80
4 | 40 | 1 | 1 | 40 | 40
6 | 40 | 1 | 1 | 40 | 40
