-- Values of every type that modules know go in and come out.
--- module example
--- file t.json
{"i": 1, "b": true, "t": -1, "s": 300, "n": 70000, "l": 5000000000, "f": 0.5, "d": -0.25, "e": 12.34, "x": "q8O8", "day": "2024-02-29", "at": "2024-02-29 12:30:00.125", "ltz": "2024-02-29 12:30:00.000001Z"}
{"i": 2}
--- sql
CREATE TABLE t (i INT, b BOOLEAN, t TINYINT, s SMALLINT, n INT, l BIGINT, f FLOAT, d DOUBLE, e DECIMAL(10, 2), x BYTES, day DATE, `at` TIMESTAMP(3), ltz TIMESTAMP_LTZ(6))
WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json', 'json.timestamp-format.standard' = 'SQL');
CREATE FUNCTION b(v BOOLEAN) RETURNS BOOLEAN LANGUAGE WASM USING MODULE '{dir}/example.wasm' SYMBOL 'same';
CREATE FUNCTION t(v TINYINT) RETURNS TINYINT LANGUAGE WASM USING MODULE '{dir}/example.wasm' SYMBOL 'same';
CREATE FUNCTION s(v SMALLINT) RETURNS SMALLINT LANGUAGE WASM USING MODULE '{dir}/example.wasm' SYMBOL 'same';
CREATE FUNCTION n(v INT) RETURNS INT LANGUAGE WASM USING MODULE '{dir}/example.wasm' SYMBOL 'same';
CREATE FUNCTION l(v BIGINT) RETURNS BIGINT LANGUAGE WASM USING MODULE '{dir}/example.wasm' SYMBOL 'same';
CREATE FUNCTION f(v FLOAT) RETURNS FLOAT LANGUAGE WASM USING MODULE '{dir}/example.wasm' SYMBOL 'same';
CREATE FUNCTION d(v DOUBLE) RETURNS DOUBLE LANGUAGE WASM USING MODULE '{dir}/example.wasm' SYMBOL 'same';
CREATE FUNCTION e(v DECIMAL(10, 2)) RETURNS DECIMAL(10, 2) LANGUAGE WASM USING MODULE '{dir}/example.wasm' SYMBOL 'same';
CREATE FUNCTION x(v BYTES) RETURNS BYTES LANGUAGE WASM USING MODULE '{dir}/example.wasm' SYMBOL 'same';
CREATE FUNCTION dy(v DATE) RETURNS DATE LANGUAGE WASM USING MODULE '{dir}/example.wasm' SYMBOL 'same';
CREATE FUNCTION ts(v TIMESTAMP(3)) RETURNS TIMESTAMP(3) LANGUAGE WASM USING MODULE '{dir}/example.wasm' SYMBOL 'same';
CREATE FUNCTION tz(v TIMESTAMP_LTZ(6)) RETURNS TIMESTAMP_LTZ(6) LANGUAGE WASM USING MODULE '{dir}/example.wasm' SYMBOL 'same';
SELECT i, b(b) AS b, t(t) AS t, s(s) AS s, n(n) AS n, l(l) AS l, f(f) AS f, d(d) AS d, e(e) AS e, x(x) = x AS x, dy(day) AS dy, ts(`at`) AS ts, tz(ltz) = ltz AS tz FROM t;
--- rows
i | b | t | s | n | l | f | d | e | x | dy | ts | tz
1 | true | -1 | 300 | 70000 | 5000000000 | 0.5 | -0.25 | 12.34 | true | 2024-02-29 | 2024-02-29 12:30:00.125 | true
2 | NULL | NULL | NULL | NULL | NULL | NULL | NULL | NULL | NULL | NULL | NULL | NULL
