-- Inserts do not replace each other, whatever PARTITION BY says.
--- use keyed
--- sql
CREATE VIEW log AS SELECT k, id, 'c' AS op FROM keyed;
SELECT k, COUNT(*) AS n FROM FROM_CHANGELOG(input => TABLE log PARTITION BY k, op_mapping => MAP['c', 'INSERT']) GROUP BY k;
--- rows
k | n
a | 3
b | 2
c | 1
d | 1
NULL | 2
