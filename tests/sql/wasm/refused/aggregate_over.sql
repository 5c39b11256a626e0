-- An aggregate of a module with OVER.
--- module example
--- sql
CREATE AGGREGATE FUNCTION total(n BIGINT) RETURNS BIGINT LANGUAGE WASM USING MODULE '{dir}/example.wasm';
SELECT total(1) OVER ();
--- error batch
total is an aggregate of one's own, and takes neither OVER
--- error streaming
TOTAL with OVER on streams is not supported
