-- A function that is called with another number of arguments.
--- use keyed
--- sql
CREATE FUNCTION twice(x INT) RETURNS INT RETURN x * 2;
SELECT id,
  twice(id, 1) AS t FROM keyed;
--- error
LV-1
takes 1 arguments, and 2 are given
line 3, column 3
twice(x INT)
