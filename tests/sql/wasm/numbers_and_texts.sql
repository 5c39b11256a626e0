-- Functions of a module over numbers and texts, NULLs among them, in SELECT, WHERE and GROUP BY.
--- use keyed
--- module example
--- sql
CREATE FUNCTION twice(n BIGINT) RETURNS BIGINT LANGUAGE WASM USING MODULE '{dir}/example.wasm';
CREATE TEMPORARY FUNCTION loud(s STRING) RETURNS STRING LANGUAGE WASM USING MODULE '{dir}/example.wasm' SYMBOL 'shout';
CREATE FUNCTION bytes_or(s STRING, n INT) RETURNS INT LANGUAGE WASM USING MODULE 'file://{dir}/example.wasm';
SELECT id, twice(v) AS t, twice(twice(id)) AS f, loud(k) AS k, bytes_or(k, v) AS b, bytes_or(CAST(NULL AS STRING), CAST(d AS INT)) AS e
FROM keyed WHERE twice(id) < 18;
--- rows
id | t | f | k | b | e
1 | 20 | 4 | A | 1 | 1
2 | 40 | 8 | B | 1 | 2
3 | 60 | 12 | A | 1 | NULL
4 | NULL | 16 | C | 1 | 0
5 | 40 | 20 | B | 1 | -1
6 | 10 | 24 | A | 1 | 10
7 | 14 | 28 | NULL | 7 | 3
8 | 16 | 32 | NULL | 8 | NULL
