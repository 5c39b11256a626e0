-- GROUP BY keeps its groups up to date; NULL is a group.
--- use keyed
--- sql
SELECT k, COUNT(*) AS n, COUNT(v) AS m, SUM(v) AS s FROM keyed GROUP BY k;
--- rows
k | n | m | s
a | 3 | 3 | 45
b | 2 | 2 | 40
c | 1 | 0 | NULL
d | 1 | 1 | 1
NULL | 2 | 2 | 15
