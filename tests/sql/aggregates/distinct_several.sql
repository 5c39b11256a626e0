-- Several distinct aggregates over different columns beside ordinary ones.
--- use keyed
--- sql
SELECT COUNT(DISTINCT k) AS ks, COUNT(DISTINCT v) AS vs, SUM(DISTINCT v) AS s, COUNT(*) AS n, MAX(DISTINCT v) AS m FROM keyed;
--- rows
ks | vs | s | n | m
4 | 7 | 81 | 9 | 30
