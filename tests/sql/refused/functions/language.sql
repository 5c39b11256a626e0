-- Another language.
--- use keyed
--- sql
CREATE FUNCTION f(x INT) RETURNS INT LANGUAGE PYTHON RETURN x;
SELECT f(id) FROM keyed;
--- error
LV-1011
the language PYTHON
line 1, column 47
