-- The expression of a function names what is no parameter.
--- use keyed
--- sql
CREATE FUNCTION f(x INT) RETURNS INT RETURN x + id;
SELECT f(id) FROM keyed;
--- error
LV-1
id does not exist
line 1, column 49
