-- The time attribute is a computed column.
--- file t.json
{"v": 1, "millis": 1500}
{"v": 2, "millis": 900}
{"v": 4, "millis": 2100}
--- sql
CREATE TABLE t (v INT, millis BIGINT, ts AS TO_TIMESTAMP_LTZ(millis, 3), WATERMARK FOR ts AS ts - INTERVAL '2' SECOND)
WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT window_start, SUM(v) AS s FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' SECOND)) GROUP BY window_start, window_end;
--- rows
window_start | s
1970-01-01 00:00:00Z | 2
1970-01-01 00:00:01Z | 1
1970-01-01 00:00:02Z | 4
