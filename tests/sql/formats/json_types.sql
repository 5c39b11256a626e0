-- JSON values of every type.
--- file t.json
{"a": 127, "b": 9000000000, "c": 1e3, "d": false, "e": "2026-01-02", "f": "2026-01-02 03:04:05.678", "g": 12.345, "h": "ü \"x\" \n", "i": "12:30:01"}
--- sql
CREATE TABLE t (a TINYINT, b BIGINT, c DOUBLE, d BOOLEAN, e DATE, f TIMESTAMP(3), g DECIMAL(8, 3), h STRING, i TIME) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
SELECT a, b, c, d, e, f, g, REPLACE(h, CHR(10), '/') AS h, i FROM t;
--- rows
a | b | c | d | e | f | g | h | i
127 | 9000000000 | 1000.0 | false | 2026-01-02 | 2026-01-02 03:04:05.678 | 12.345 | "ü "x" /" | 12:30:01
