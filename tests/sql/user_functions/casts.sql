-- Arguments and results are cast to the types that were declared.
--- use keyed
--- sql
CREATE FUNCTION cut(d DECIMAL(10, 1)) RETURNS INT RETURN d * 10;
CREATE FUNCTION shown(s STRING) RETURNS STRING RETURN s || '!';
SELECT id, cut(d) AS c, shown(id) AS s FROM keyed WHERE id IN (1, 6, 8);
--- rows
id | c | s
1 | 15 | 1!
6 | 100 | 6!
8 | NULL | 8!
