-- An expression that cannot be cast to the type of the result.
--- use keyed
--- sql
CREATE FUNCTION f(x ARRAY<INT>) RETURNS INT RETURN x;
SELECT f(ARRAY[id]) FROM keyed;
--- error
LV-1008
returns INT, and its expression has the type ARRAY
line 1, column 52
