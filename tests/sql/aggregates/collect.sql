-- COLLECT makes a MULTISET; NULLs are left out.
--- use keyed
--- sql
SELECT k, COLLECT(v) AS c, COLLECT(v) FILTER (WHERE v > 5) AS f FROM keyed WHERE k > 'a' GROUP BY k;
--- rows
k | c | f
b | {20: 2} | {20: 2}
c | NULL | NULL
d | {1: 1} | NULL
