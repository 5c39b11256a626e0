-- Keys of type DATE, DECIMAL, BOOLEAN, DOUBLE and TIMESTAMP.
--- file t.json
{"a": "2026-01-01", "b": 1.10, "c": true, "d": 0.5, "e": "2026-01-01 00:00:00"}
{"a": "2026-01-01", "b": 1.1, "c": true, "d": 0.50, "e": "2026-01-01 00:00:00.000"}
{"a": "2026-01-02", "b": 1.10, "c": false, "d": 0.5, "e": "2026-01-01 00:00:00"}
--- sql
CREATE TABLE t (a DATE, b DECIMAL(4, 2), c BOOLEAN, d DOUBLE, e TIMESTAMP(3)) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT a, b, c, d, e, COUNT(*) AS n FROM t GROUP BY a, b, c, d, e;
--- rows
a | b | c | d | e | n
2026-01-01 | 1.10 | true | 0.5 | 2026-01-01 00:00:00 | 2
2026-01-02 | 1.10 | false | 0.5 | 2026-01-01 00:00:00 | 1
