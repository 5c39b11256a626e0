-- A call that does not come to a result ends the query, with the function's name and the reason.
--- use keyed
--- module example
--- sql
SET 'table.exec.udf.memory' = '1 mb';
SET 'table.exec.udf.timeout' = '200 ms';
CREATE FUNCTION f(n BIGINT) RETURNS BIGINT LANGUAGE WASM USING MODULE '{dir}/example.wasm' SYMBOL 'lies';
SELECT id, f(v) AS f FROM keyed;
--- error
are not within its memory
