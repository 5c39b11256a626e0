-- A parameter of type ROW has fields; one that is called like another parameter is a field.
--- use keyed
--- sql
CREATE FUNCTION pick(r ROW<a INT, b STRING>, b STRING) RETURNS STRING RETURN r.b || b || CAST(r.a AS STRING);
SELECT id, pick(CAST(ROW(id, k) AS ROW<a INT, b STRING>), '-') AS p FROM keyed WHERE id < 4;
--- rows
id | p
1 | a-1
2 | b-2
3 | a-3
