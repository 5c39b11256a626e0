-- With GROUP BY and no input there is no row.
--- use keyed
--- sql
SELECT k, COUNT(*) AS n FROM keyed WHERE id > 100 GROUP BY k;
--- rows
k | n
