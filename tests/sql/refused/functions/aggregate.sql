-- An aggregate in the expression of a function.
--- use keyed
--- sql
CREATE FUNCTION f(x INT) RETURNS BIGINT RETURN SUM(x);
SELECT f(id) FROM keyed;
--- error
LV-1
an aggregate cannot stand here
