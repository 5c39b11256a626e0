-- A function of one row with OVER.
--- module example
--- sql
CREATE FUNCTION twice(n BIGINT) RETURNS BIGINT LANGUAGE WASM USING MODULE '{dir}/example.wasm';
SELECT twice(1) OVER ();
--- error batch
twice is a function of one row
--- error streaming
TWICE with OVER on streams is not supported
