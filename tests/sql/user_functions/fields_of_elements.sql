-- Fields of elements of a parameter, and of what a call returns.
--- use keyed
--- sql
CREATE FUNCTION made(id INT) RETURNS ROW<items ARRAY<ROW<q INT>>> RETURN CAST(ROW(ARRAY[ROW(id), ROW(id * 10)]) AS ROW<items ARRAY<ROW<q INT>>>);
CREATE FUNCTION deep(q ROW<items ARRAY<ROW<q INT>>>) RETURNS INT RETURN q.items[2].q + q.items[1].q;
SELECT id, deep(made(id)) AS d, made(id).items[1].q AS f FROM keyed WHERE id < 3;
--- rows
id | d | f
1 | 11 | 1
2 | 22 | 2
