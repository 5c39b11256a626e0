-- A subquery in the expression of a function.
--- use keyed
--- sql
CREATE FUNCTION f(x INT) RETURNS INT RETURN x + (SELECT MAX(id) FROM keyed);
SELECT f(id) FROM keyed;
--- error
LV-1018
a subquery cannot stand in the expression of a function
line 1, column 50
