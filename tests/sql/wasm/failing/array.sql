-- A function that is declared to give arrays, and gives numbers.
--- use keyed
--- module example
--- sql
CREATE FUNCTION f(n BIGINT) RETURNS ARRAY<BIGINT> LANGUAGE WASM USING MODULE '{dir}/example.wasm' SYMBOL 'same';
SELECT id, n FROM keyed, LATERAL TABLE(f(v)) AS t (n);
--- error
its result has the type 5
