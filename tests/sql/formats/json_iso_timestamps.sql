-- Timestamps in ISO 8601, and instants.
--- file t.json
{"a": "2026-01-02T03:04:05.678", "b": "2026-01-02T03:04:05Z"}
--- sql
CREATE TABLE t (a TIMESTAMP(3), b TIMESTAMP_LTZ(3)) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json', 'json.timestamp-format.standard' = 'ISO-8601');
SELECT a, b FROM t;
--- rows
a | b
2026-01-02 03:04:05.678 | 2026-01-02 03:04:05Z
