-- Types that modules do not know.
--- module example
--- sql
CREATE FUNCTION f(n MAP<STRING, INT>) RETURNS BIGINT LANGUAGE WASM USING MODULE '{dir}/example.wasm' SYMBOL 'same';
--- error
a function of a module with the type MAP<STRING, INT> (parameter n of f)
modules know BOOLEAN
