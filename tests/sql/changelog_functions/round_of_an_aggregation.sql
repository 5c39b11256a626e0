-- What tells of changes, read as changes, is what it was.
--- use keyed
--- sql
CREATE VIEW groups AS SELECT k, COUNT(*) AS n, SUM(v) AS s FROM keyed GROUP BY k;
CREATE VIEW log AS SELECT * FROM TO_CHANGELOG(input => TABLE groups);
SELECT * FROM FROM_CHANGELOG(input => TABLE log);
--- rows
k | n | s
a | 3 | 45
b | 2 | 40
c | 1 | NULL
d | 1 | 1
NULL | 2 | 15
