-- Computed columns and a watermark with COALESCE, which is there only as what it is simplified to.
--- file c.json
{"id": 1, "a": null, "made": "2026-01-01 00:00:01"}
{"id": 2, "a": 5, "made": null}
--- sql
CREATE TABLE c (
  id INT,
  a INT,
  made TIMESTAMP(3),
  b AS COALESCE(a, 7),
  ts AS COALESCE(made, TIMESTAMP '2026-01-01 00:01:00'),
  WATERMARK FOR ts AS COALESCE(ts - INTERVAL '1' SECOND, ts)
) WITH ('connector' = 'filesystem', 'path' = '{dir}/c.json', 'format' = 'json');
SELECT EXTRACT(MINUTE FROM window_start) AS m, SUM(b) AS s
FROM TABLE(TUMBLE(TABLE c, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end;
--- rows
m | s
0 | 7
1 | 5
