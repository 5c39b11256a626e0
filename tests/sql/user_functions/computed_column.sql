-- A computed column and a watermark keep what a function did when the table was made; a view sees what it does now.
--- file t.json
{"v": 1, "ts": "2026-01-01 00:00:01"}
{"v": 2, "ts": "2026-01-01 00:02:59"}
--- sql
CREATE FUNCTION minute_of(t TIMESTAMP(3)) RETURNS TIMESTAMP(3) RETURN FLOOR(t TO MINUTE);
CREATE FUNCTION times(x INT) RETURNS INT RETURN x * 10;
CREATE TABLE t (v INT, ts TIMESTAMP(3), m AS minute_of(ts), w AS times(v), WATERMARK FOR ts AS minute_of(ts))
WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
CREATE VIEW seen AS SELECT v, w, times(v) AS x, m FROM t;
CREATE OR REPLACE FUNCTION times(x INT) RETURNS INT RETURN x * 100;
SELECT v, w, x, m FROM seen;
--- rows
v | w | x | m
1 | 10 | 100 | 2026-01-01 00:00:00
2 | 20 | 200 | 2026-01-01 00:02:00
