-- What is unique in front of UNNEST is not behind it; DISTINCT and EXCEPT make it so again.
--- use keyed
--- sql
SELECT DISTINCT k FROM (SELECT k, ARRAY_AGG(v) AS vs FROM keyed GROUP BY k) AS t CROSS JOIN UNNEST(t.vs) AS u (v)
UNION ALL
(((SELECT k FROM keyed) INTERSECT ALL (SELECT k FROM keyed)) EXCEPT (SELECT k FROM keyed WHERE k < 'c'));
--- rows
k
NULL
NULL
a
b
c
c
d
d
