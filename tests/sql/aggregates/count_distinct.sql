-- COUNT(DISTINCT) of a group and of all; NULL does not count.
--- use keyed
--- sql
SELECT k, COUNT(DISTINCT v) AS n FROM keyed GROUP BY k;
--- rows
k | n
a | 3
b | 1
c | 0
d | 1
NULL | 2
