-- A view whose function is gone.
--- use keyed
--- sql
CREATE FUNCTION f(x INT) RETURNS INT RETURN x;
CREATE VIEW v AS SELECT f(id) AS y FROM keyed;
DROP FUNCTION f;
SELECT y FROM v;
--- error
LV-1004
function f does not exist
in view v
