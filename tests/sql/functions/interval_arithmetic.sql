-- Adding and subtracting intervals; months end where the month ends.
--- file t.json
{"ts": "2024-01-31 00:00:00"}
--- sql
CREATE TABLE t (ts TIMESTAMP(3)) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT ts + INTERVAL '1' DAY AS d, ts - INTERVAL '90' MINUTE AS m, ts + INTERVAL '1' MONTH AS mo, ts + INTERVAL '1:30' MINUTE TO SECOND AS s FROM t;
--- rows
d | m | mo | s
2024-02-01 00:00:00 | 2024-01-30 22:30:00 | 2024-02-29 00:00:00 | 2024-01-31 00:01:30
