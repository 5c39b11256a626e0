-- A group comes and goes with its HAVING.
--- use keyed
--- sql
SELECT k, SUM(v) AS s FROM keyed GROUP BY k HAVING SUM(v) BETWEEN 10 AND 44;
--- rows
k | s
b | 40
NULL | 15
