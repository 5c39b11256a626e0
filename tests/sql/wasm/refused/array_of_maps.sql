-- Types that modules do not give, within an array.
--- module example
--- sql
CREATE FUNCTION f(n INT) RETURNS ARRAY<ROW<a INT, b MAP<STRING, INT>>> LANGUAGE WASM USING MODULE '{dir}/example.wasm' SYMBOL 'same';
--- error
(the result of f)
ARRAY and ROW of these
