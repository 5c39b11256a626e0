-- Another language.
--- use keyed
--- sql
CREATE FUNCTION f(x INT) RETURNS INT LANGUAGE WASM RETURN x;
SELECT f(id) FROM keyed;
--- error
LV-1011
the language WASM
line 1, column 47
