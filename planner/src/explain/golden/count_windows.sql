CREATE TABLE readings (
  sensor STRING, value INT, note STRING, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) WITH ('connector' = 'stream');
EXPLAIN CHANGELOG_MODE, JOB GRAPH
SELECT sensor, window_start, window_end, AVG(value) AS mean
FROM TABLE(COUNT_TUMBLE(TABLE readings PARTITION BY sensor ORDER BY ts, SIZE => 100))
WHERE value > 0
GROUP BY sensor, window_start, window_end;
EXPLAIN
SELECT window_end, window_time, SUM(value) AS total
FROM TABLE(COUNT_HOP(TABLE readings ORDER BY ts, SIZE => 100, SLIDE => 10))
GROUP BY window_end, window_time;
EXPLAIN
SELECT window_end, COUNT(*) AS n
FROM TABLE(COUNT_TUMBLE(TABLE readings PARTITION BY sensor, SIZE => 100))
GROUP BY window_end;
