-- A row whose partition changes goes in one and comes in the other.
--- use keyed
--- sql
CREATE VIEW groups AS SELECT k, COUNT(*) AS n FROM keyed GROUP BY k;
CREATE VIEW log AS SELECT * FROM TO_CHANGELOG(input => TABLE groups PARTITION BY n, op_mapping => MAP['INSERT', 'I', 'UPDATE_AFTER', 'U', 'DELETE', 'D']);
SELECT * FROM FROM_CHANGELOG(input => TABLE log PARTITION BY (n, k), op_mapping => MAP['I', 'INSERT', 'U', 'UPDATE_AFTER', 'D', 'DELETE']);
--- rows
n | k
3 | a
2 | b
1 | c
1 | d
2 | NULL
