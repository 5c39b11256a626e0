-- A change of a column that nobody reads is still a change: the last row of a key has all rows counted.
--- use keyed
--- sql
CREATE VIEW groups AS SELECT k, COUNT(*) AS n, MAX(id) AS last FROM keyed GROUP BY k;
SELECT k, MAX(last) AS last FROM TO_CHANGELOG(input => TABLE groups, op_mapping => MAP['INSERT, UPDATE_AFTER', 'U']) WHERE op = 'U' GROUP BY k;
--- rows
k | last
a | 6
b | 5
c | 4
d | 9
NULL | 8
