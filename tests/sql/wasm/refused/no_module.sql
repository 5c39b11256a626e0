-- A file that is no module.
--- whole
--- file t.json
{"i": 1}
--- sql
CREATE FUNCTION f(n INT) RETURNS INT LANGUAGE WASM USING MODULE '{dir}/t.json';
--- error
the file is no WebAssembly module
