-- An aggregate in SQL.
--- module example
--- sql
CREATE AGGREGATE FUNCTION f(n BIGINT) RETURNS BIGINT RETURN n;
--- error
an aggregate in SQL is not supported
LANGUAGE WASM
