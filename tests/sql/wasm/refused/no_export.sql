-- A module that does not export the function, with what it exports.
--- module example
--- sql
CREATE FUNCTION thrice(n BIGINT) RETURNS BIGINT LANGUAGE WASM USING MODULE '{dir}/example.wasm';
--- error
function thrice cannot be created: the module exports no function thrice
it exports levada_alloc, twice, shout
