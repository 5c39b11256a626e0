-- An aggregate without parameters.
--- module example
--- sql
CREATE AGGREGATE FUNCTION total() RETURNS BIGINT LANGUAGE WASM USING MODULE '{dir}/example.wasm';
--- error
an aggregate of a module without parameters
