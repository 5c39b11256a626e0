-- A module that is not on this machine.
--- module example
--- sql
CREATE FUNCTION f(n INT) RETURNS INT LANGUAGE WASM USING MODULE 's3://bucket/f.wasm';
--- error
a module at s3://bucket/f.wasm is not supported
use a local path
