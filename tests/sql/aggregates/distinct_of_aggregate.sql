-- COUNT(DISTINCT) over values that change.
--- use keyed
--- sql
SELECT COUNT(DISTINCT n) AS sizes, SUM(DISTINCT n) AS s FROM (SELECT k, COUNT(*) AS n FROM keyed GROUP BY k);
--- rows
sizes | s
3 | 6
