-- Sets of a table that is a view, over updates, with a filter on the id.
--- use keyed
--- sql
CREATE VIEW totals AS SELECT k, COUNT(*) AS n, SUM(v) AS s FROM keyed GROUP BY k;
SELECT n, COUNT(*) AS c, SUM(s) AS s FROM totals GROUP BY GROUPING SETS ((n), (n, k)) HAVING GROUPING(k) = 0;
--- rows
n | c | s
1 | 1 | NULL
1 | 1 | 1
2 | 1 | 15
2 | 1 | 40
3 | 1 | 45
