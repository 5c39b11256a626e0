-- A table with NULL times, times before 1970, and NULL keys.
--- file timed.json
{"k": "a", "v": 1, "ts": "1969-12-31 23:59:58"}
{"k": "b", "v": 2, "ts": "1969-12-31 23:59:51"}
{"k": "a", "v": 3, "ts": "1970-01-01 00:00:00"}
{"k": null, "v": 4, "ts": "1969-12-31 23:59:59.999"}
{"k": "a", "v": 5, "ts": "1970-01-01 00:00:05"}
{"k": null, "v": null, "ts": "1970-01-01 00:00:09"}
--- sql
CREATE TABLE timed (
  k STRING,
  v INT,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '10' SECOND
) WITH ('connector' = 'filesystem', 'path' = '{dir}/timed.json', 'format' = 'json');
