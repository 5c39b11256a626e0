-- An aggregate of a module in WHERE.
--- module example
--- sql
CREATE AGGREGATE FUNCTION total(n BIGINT) RETURNS BIGINT LANGUAGE WASM USING MODULE '{dir}/example.wasm';
SELECT 1 WHERE total(1) > 0;
--- error
LV-1
