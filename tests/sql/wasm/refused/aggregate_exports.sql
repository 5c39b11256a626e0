-- An aggregate whose module has but a function of one row.
--- module example
--- sql
CREATE AGGREGATE FUNCTION twice(n BIGINT) RETURNS BIGINT LANGUAGE WASM USING MODULE '{dir}/example.wasm';
--- error
the module exports no function twice_update
the function has to be (i32, i32) -> (i32)
