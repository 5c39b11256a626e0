-- A ROLLUP beside columns of one set.
--- use keyed
--- sql
SELECT COUNT(*) FROM keyed GROUP BY GROUPING SETS ((id, ROLLUP (k, v)));
--- error
LV-1011
ROLLUP or CUBE beside columns of one set
line 1, column 57
