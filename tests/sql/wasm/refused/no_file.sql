-- A file that is not there.
--- module example
--- sql
CREATE FUNCTION f(n INT) RETURNS INT LANGUAGE WASM USING MODULE '{dir}/missing.wasm';
--- error
missing.wasm cannot be read
LV-1018
line 1, column
