-- What is taken back of an aggregation is told with what it was, so changes add up to its rows.
--- use keyed
--- sql
CREATE VIEW groups AS SELECT k, COUNT(*) AS n, SUM(v) AS s FROM keyed GROUP BY k;
SELECT k, SUM(CASE WHEN op IN ('INSERT', 'UPDATE_AFTER') THEN n ELSE -n END) AS n,
  SUM(CASE WHEN op IN ('INSERT', 'UPDATE_AFTER') THEN s ELSE -s END) AS s
FROM TO_CHANGELOG(input => TABLE groups) GROUP BY k;
--- rows
k | n | s
a | 3 | 45
b | 2 | 40
c | 1 | NULL
d | 1 | 1
NULL | 2 | 15
