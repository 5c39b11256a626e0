-- A function that calls itself by another one.
--- use keyed
--- sql
CREATE FUNCTION f(x INT) RETURNS INT RETURN x;
CREATE FUNCTION g(x INT) RETURNS INT RETURN f(x);
CREATE OR REPLACE FUNCTION f(x INT) RETURNS INT RETURN g(x);
SELECT f(id) FROM keyed;
--- error
LV-1
calls itself
