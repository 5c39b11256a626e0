-- Without GROUP BY there is one row.
--- use keyed
--- sql
SELECT COUNT(*) AS n, SUM(v) AS s, MIN(k) AS a, MAX(d) AS high FROM keyed;
--- rows
n | s | a | high
9 | 101 | a | 100.01
