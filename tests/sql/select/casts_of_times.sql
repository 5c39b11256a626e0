-- Casts between instants and the wall clock are in the session's zone, those of INSERT included; precisions and lengths cut.
--- file t.json
{"t": "2026-07-01 12:00:00.999"}
--- sql
SET 'table.local-time-zone' = 'Europe/Berlin';
CREATE TABLE t (t TIMESTAMP(3)) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT CAST(t AS STRING) AS s, CAST(CAST(t AS TIMESTAMP_LTZ(3)) AS STRING) AS back, UNIX_TIMESTAMP(CAST(CAST(t AS TIMESTAMP(0)) AS VARCHAR(19))) AS epoch,
  CAST(TO_TIMESTAMP_LTZ(1782943200, 0) AS DATE) AS day, CAST(TO_TIMESTAMP_LTZ(1782943200, 0) AS STRING) AS night, CAST(t AS VARCHAR(4)) AS year FROM t;
--- rows
s | back | epoch | day | night | year
2026-07-01 12:00:00.999 | 2026-07-01 12:00:00.999 | 1782900000 | 2026-07-02 | 2026-07-02 00:00:00.000 | 2026
