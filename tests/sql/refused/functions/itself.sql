-- A function that calls itself.
--- use keyed
--- sql
CREATE FUNCTION f(x INT) RETURNS INT RETURN
  CASE WHEN x > 0 THEN F(x - 1) END;
SELECT f(id) FROM keyed;
--- error
LV-1018
function F calls itself
line 2, column 24
