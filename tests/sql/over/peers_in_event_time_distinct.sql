-- Rows of one time count together, each value once.
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
SELECT id, COUNT(DISTINCT k) OVER (ORDER BY ts) AS n, MIN(id) OVER (ORDER BY ts RANGE INTERVAL '2' SECOND PRECEDING) AS least FROM t;
--- rows
id | n | least
2 | 1 | 2
1 | 2 | 1
3 | 2 | 1
4 | 2 | 1
6 | 2 | 1
8 | 2 | 1
5 | 2 | 1
7 | 2 | 1
