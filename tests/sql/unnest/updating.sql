-- An array that changes: its elements go and come.
--- use keyed
--- sql
SELECT k, x, n FROM (SELECT k, ARRAY[MIN(v), MAX(v)] AS ends FROM keyed GROUP BY k) AS g
CROSS JOIN UNNEST(ends) WITH ORDINALITY AS u (x, n);
--- rows
k | x | n
a | 5 | 1
a | 30 | 2
b | 20 | 1
b | 20 | 2
c | NULL | 1
c | NULL | 2
NULL | 7 | 1
NULL | 8 | 2
d | 1 | 1
d | 1 | 2
