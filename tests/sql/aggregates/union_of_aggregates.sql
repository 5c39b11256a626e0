-- UNION ALL of an updating and an appending input.
--- use keyed
--- sql
SELECT k, COUNT(*) AS n FROM keyed GROUP BY k UNION ALL SELECT 'row', CAST(id AS BIGINT) FROM keyed WHERE id < 3;
--- rows
k | n
a | 3
b | 2
c | 1
d | 1
NULL | 2
row | 1
row | 2
