-- The sum of a DECIMAL has the same type beside a DISTINCT; in batch mode it became wider.
--- use keyed
--- sql
SELECT k, SUM(d) AS s, COUNT(DISTINCT v) AS n FROM keyed GROUP BY k;
--- rows
k | s | n
a | 11.50 | 3
b | 1.25 | 1
c | 0.75 | 0
d | 100.01 | 1
NULL | 3.10 | 2
