-- A call that does not come to a result ends the query, with the function's name and the reason.
--- use keyed
--- module example
--- sql
SET 'table.exec.udf.memory' = '1 mb';
SET 'table.exec.udf.timeout' = '200 ms';
CREATE FUNCTION f(n BIGINT) RETURNS BIGINT LANGUAGE WASM USING MODULE '{dir}/example.wasm' SYMBOL 'greedy';
SELECT id, f(v) AS f FROM keyed;
--- error
function f failed: it needs more than the 1048576 bytes
