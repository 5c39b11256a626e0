-- A function of one's own in SELECT, WHERE, GROUP BY and within an aggregate; NULL goes through its expression.
--- use keyed
--- sql
CREATE FUNCTION twice(x INT) RETURNS INT RETURN x * 2;
CREATE FUNCTION or_none(s STRING) RETURNS STRING LANGUAGE SQL RETURN COALESCE(s, 'none');
SELECT or_none(k) AS name, SUM(twice(v)) AS s, MAX(twice(id) + 1) AS m FROM keyed WHERE twice(id) > 2 GROUP BY or_none(k);
--- rows
name | s | m
a | 70 | 13
b | 80 | 11
c | NULL | 9
d | 2 | 19
none | 30 | 17
