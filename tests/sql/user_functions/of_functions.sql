-- Functions that call functions; a parameter is no column of the query, and is called in any case.
--- use keyed
--- sql
CREATE FUNCTION twice(x BIGINT) RETURNS BIGINT RETURN x + X;
CREATE FUNCTION four_times(v BIGINT) RETURNS BIGINT RETURN twice(twice(v));
SELECT id, four_times(id + 1) AS f FROM keyed WHERE four_times(id) < twice(6);
--- rows
id | f
1 | 8
2 | 12
