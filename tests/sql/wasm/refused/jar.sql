-- Functions of a JAR.
--- module example
--- sql
CREATE FUNCTION f(n INT) RETURNS INT LANGUAGE WASM USING JAR 'f.jar';
--- error
a function of a JAR is not supported
USING MODULE 'file.wasm'
