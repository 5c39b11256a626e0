-- Parquet keeps types: decimals, times, nested columns.
--- file t.json
{"a": 1, "d": 1.50, "ts": "2026-01-01 00:00:00.125", "r": {"x": 1, "l": ["p", "q"]}, "b": true}
{"a": null, "d": null, "ts": null, "r": null, "b": false}
--- sql
CREATE TABLE t (a INT, d DECIMAL(8, 2), ts TIMESTAMP(3), r ROW<x INT, l ARRAY<STRING>>, b BOOLEAN) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
CREATE TABLE p (a INT, d DECIMAL(8, 2), ts TIMESTAMP(3), r ROW<x INT, l ARRAY<STRING>>, b BOOLEAN) WITH ('connector' = 'filesystem', 'path' = '{dir}/p', 'format' = 'parquet');
INSERT INTO p SELECT * FROM t;
--- rows p
a | d | ts | r | b
1 | 1.50 | 2026-01-01 00:00:00.125 | {x: 1, l: [p, q]} | true
NULL | NULL | NULL | NULL | false
