-- Sums of decimals are exact.
--- file t.json
{"d": 0.10, "ts": "2026-01-01 00:00:01"}
{"d": 0.20, "ts": "2026-01-01 00:00:02"}
{"d": 99999999.99, "ts": "2026-01-01 00:00:03"}
{"d": null, "ts": "2026-01-01 00:00:04"}
--- sql
CREATE TABLE t (d DECIMAL(10, 2), ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT SUM(d) AS s, MIN(d) AS low, MAX(d) AS high, COUNT(d) AS n
FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end;
--- rows
s | low | high | n
100000000.29 | 0.10 | 99999999.99 | 3
