-- An aggregate over an aggregate takes back what has changed.
--- use keyed
--- sql
SELECT n, COUNT(*) AS groups, SUM(s) AS s FROM (SELECT k, COUNT(*) AS n, SUM(v) AS s FROM keyed GROUP BY k) GROUP BY n;
--- rows
n | groups | s
3 | 1 | 45
2 | 2 | 55
1 | 2 | 1
