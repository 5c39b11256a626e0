-- A call with other arguments than the function takes.
--- module example
--- sql
CREATE FUNCTION twice(n BIGINT) RETURNS BIGINT LANGUAGE WASM USING MODULE '{dir}/example.wasm';
SELECT twice(1, 2);
--- error
twice takes 1 arguments, and 2 are given
it is twice(n BIGINT)
