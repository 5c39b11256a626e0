-- The partner of a group moves with its maximum, so its changes may come in any order; by key the last one counts all the same.
--- use keyed
--- sql
CREATE VIEW moving AS SELECT a.k, a.m, b.n FROM (SELECT k, MAX(v) AS m FROM keyed GROUP BY k) AS a
  JOIN (SELECT v, COUNT(*) AS n FROM keyed GROUP BY v) AS b ON a.m = b.v;
CREATE VIEW log AS SELECT * FROM TO_CHANGELOG(input => TABLE moving, op_mapping => MAP['INSERT, UPDATE_AFTER', 'put', 'DELETE', 'del']);
SELECT * FROM FROM_CHANGELOG(input => TABLE log PARTITION BY k, op_mapping => MAP['put', 'UPDATE_AFTER', 'del', 'DELETE']);
--- rows
k | m | n
a | 30 | 1
b | 20 | 2
d | 1 | 1
NULL | 8 | 1
