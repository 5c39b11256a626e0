-- Fields of elements of a parameter, and of what a call returns.
--- use keyed
--- sql
CREATE FUNCTION made(id INT) RETURNS ARRAY<ROW<q INT>> RETURN ARRAY[CAST(ROW(id) AS ROW<q INT>), CAST(ROW(id * 10) AS ROW<q INT>)];
CREATE FUNCTION deep(q ARRAY<ROW<q INT>>) RETURNS INT RETURN q[2].q + q[1].q;
SELECT id, deep(made(id)) AS d, made(id)[1].q AS f FROM keyed WHERE id < 3;
--- rows
id | d | f
1 | 11 | 1
2 | 22 | 2
