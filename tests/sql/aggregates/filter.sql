-- FILTER, also with DISTINCT.
--- use keyed
--- sql
SELECT k, COUNT(*) FILTER (WHERE v > 10) AS big, SUM(v) FILTER (WHERE d > 0) AS s, COUNT(DISTINCT v) FILTER (WHERE id < 5) AS early
FROM keyed GROUP BY k;
--- rows
k | big | s | early
a | 1 | 15 | 2
b | 2 | 20 | 1
c | 0 | NULL | 0
d | 0 | 1 | 0
NULL | 0 | 7 | 0
