-- A function of a module as a key of groups and under an aggregate, and one in SQL that calls it.
--- use keyed
--- module example
--- sql
CREATE FUNCTION twice(n BIGINT) RETURNS BIGINT LANGUAGE WASM USING MODULE '{dir}/example.wasm';
CREATE FUNCTION shout(s STRING) RETURNS STRING LANGUAGE WASM USING MODULE '{dir}/example.wasm';
CREATE FUNCTION name(s STRING) RETURNS STRING RETURN COALESCE(shout(s), '?');
SELECT name(k) AS k, SUM(twice(v)) AS s, COUNT(*) AS n FROM keyed GROUP BY name(k) HAVING SUM(twice(v)) > 2;
--- rows
k | s | n
A | 90 | 3
B | 80 | 2
? | 30 | 2
