-- An argument that cannot be cast to the type of the parameter.
--- use keyed
--- sql
CREATE FUNCTION twice(x INT) RETURNS INT RETURN x * 2;
SELECT id,
  twice(ARRAY[id]) AS t FROM keyed;
--- error
LV-1008
cannot be cast to INT
line 3, column 3
it is twice(x INT)
