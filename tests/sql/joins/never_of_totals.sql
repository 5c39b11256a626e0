-- A condition that is never true drops the row that an aggregation has of no rows, too.
--- use keyed
--- sql
SELECT t.n, k.id FROM (SELECT COUNT(*) AS n FROM keyed) AS t JOIN keyed AS k ON t.n = k.id AND 1 = 2
UNION ALL
SELECT t.n, k.id FROM (SELECT k, COUNT(*) AS n FROM keyed GROUP BY ROLLUP (k)) AS t JOIN keyed AS k ON t.n = k.id AND 1 = 2
UNION ALL
SELECT n, 0 FROM (SELECT COUNT(*) AS n FROM keyed) AS t WHERE n = 9 AND 1 = 2;
--- rows
n | id
