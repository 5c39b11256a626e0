-- FIRST_VALUE and LAST_VALUE pass NULLs over, and count what passes the filter.
--- use keyed
--- sql
SELECT k, FIRST_VALUE(v) FILTER (WHERE id IN (1, 2, 4, 7, 9)) AS f, LAST_VALUE(v) FILTER (WHERE id IN (3, 5, 8)) AS l, FIRST_VALUE(k) AS fk, LAST_VALUE(k) AS lk
FROM keyed GROUP BY k;
--- rows
k | f | l | fk | lk
a | 10 | 30 | a | a
b | 20 | 20 | b | b
c | NULL | NULL | c | c
d | 1 | NULL | d | d
NULL | 7 | 8 | NULL | NULL
