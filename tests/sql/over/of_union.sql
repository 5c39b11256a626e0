-- Values over both branches of a UNION.
--- use sales
--- sql
SELECT w, v, SUM(v) OVER (ORDER BY w, v ROWS UNBOUNDED PRECEDING) AS s FROM (SELECT 'a' AS w, id AS v FROM sales WHERE id < 4 UNION ALL SELECT 'b', id FROM sales WHERE id > 9);
--- rows
w | v | s
a | 1 | 1
a | 2 | 3
a | 3 | 6
b | 10 | 16
b | 11 | 27
b | 12 | 39
