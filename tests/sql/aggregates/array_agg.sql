-- ARRAY_AGG has NULLs among its elements, unless it says IGNORE NULLS.
--- use keyed
--- sql
SELECT k, ARRAY_SORT(ARRAY_AGG(v)) AS a, ARRAY_SORT(ARRAY_AGG(d)) AS r, ARRAY_SORT(ARRAY_AGG(d IGNORE NULLS)) AS i, ARRAY_SORT(ARRAY_AGG(v) FILTER (WHERE v > 5)) AS f FROM keyed GROUP BY k;
--- rows
k | a | r | i | f
a | [5, 10, 30] | [NULL, 1.50, 10.00] | [1.50, 10.00] | [10, 30]
b | [20, 20] | [-1.00, 2.25] | [-1.00, 2.25] | [20, 20]
c | [NULL] | [0.75] | [0.75] | NULL
d | [1] | [100.01] | [100.01] | NULL
NULL | [7, 8] | [NULL, 3.10] | [3.10] | [7, 8]
