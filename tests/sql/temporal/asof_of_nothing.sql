-- A left table that is known to be empty has no time attribute to lose.
--- file t1.json
{"id": 1, "ts": "2026-01-01 00:00:01.000"}
--- file t2.json
{"id": 1, "ts": "2026-01-01 00:00:01.000"}
--- sql
CREATE TABLE t1 (id INT NOT NULL, ts TIMESTAMP(3) NOT NULL, WATERMARK FOR ts AS ts - INTERVAL '4' SECOND)
WITH ('connector' = 'filesystem', 'path' = '{dir}/t1.json', 'format' = 'json');
CREATE TABLE t2 (id INT NOT NULL, ts TIMESTAMP(3) NOT NULL, WATERMARK FOR ts AS ts - INTERVAL '4' SECOND)
WITH ('connector' = 'filesystem', 'path' = '{dir}/t2.json', 'format' = 'json');
CREATE VIEW nobody AS SELECT id, ts FROM t1 WHERE id IS NULL;
SELECT n.id, t.ts FROM nobody AS n ASOF JOIN t2 AS t MATCH_CONDITION (n.ts >= t.ts) ON n.id = t.id;
--- rows
id | ts
