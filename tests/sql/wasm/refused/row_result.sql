-- Types that modules do not give.
--- module example
--- sql
CREATE FUNCTION f(n INT) RETURNS ROW<a INT> LANGUAGE WASM USING MODULE '{dir}/example.wasm' SYMBOL 'same';
--- error
(the result of f)
