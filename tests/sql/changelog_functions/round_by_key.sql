-- Updates without the row before them, by key.
--- use keyed
--- sql
CREATE VIEW groups AS SELECT k, COUNT(*) AS n, SUM(v) AS s FROM keyed GROUP BY k;
CREATE VIEW log AS SELECT * FROM TO_CHANGELOG(input => TABLE groups, op_mapping => MAP['INSERT, UPDATE_AFTER', 'put', 'DELETE', 'del']);
SELECT * FROM FROM_CHANGELOG(input => TABLE log PARTITION BY k, op_mapping => MAP['put', 'UPDATE_AFTER', 'del', 'DELETE']);
--- rows
k | n | s
a | 3 | 45
b | 2 | 40
c | 1 | NULL
d | 1 | 1
NULL | 2 | 15
