-- Without GROUP BY there is one row even if there is no input.
--- use keyed
--- sql
SELECT COUNT(*) AS n, SUM(v) AS s, MAX(k) AS k FROM keyed WHERE id > 100;
--- rows
n | s | k
0 | NULL | NULL
