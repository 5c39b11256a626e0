-- An export that is called otherwise.
--- module example
--- sql
CREATE FUNCTION f(n BIGINT, m BIGINT) RETURNS BIGINT LANGUAGE WASM USING MODULE '{dir}/example.wasm' SYMBOL 'of_two';
--- error
the module's function of_two is (i32, i32) -> (i32), and has to be (i32) -> (i32)
LV-1018
line 1, column
