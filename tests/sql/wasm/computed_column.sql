-- A computed column and a view keep a function of a module; the column also when it is replaced or dropped.
--- module example
--- file t.json
{"i": 1, "s": "x"}
{"i": 2, "s": null}
--- sql
CREATE FUNCTION f(n BIGINT) RETURNS BIGINT LANGUAGE WASM USING MODULE '{dir}/example.wasm' SYMBOL 'twice';
CREATE TABLE t (i BIGINT, s STRING, c AS f(i)) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.json', 'format' = 'json');
CREATE VIEW v AS SELECT i, c, f(i) AS f FROM t;
CREATE OR REPLACE FUNCTION f(n BIGINT) RETURNS BIGINT LANGUAGE WASM USING MODULE '{dir}/example.wasm' SYMBOL 'same';
SELECT i, c, f FROM v;
--- rows
i | c | f
1 | 2 | 1
2 | 4 | 2
