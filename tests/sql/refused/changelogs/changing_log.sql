-- A log does not change.
--- skip batch: rows are as they are at the end there
--- use keyed
--- sql
CREATE VIEW groups AS SELECT k, 'c' AS op, COUNT(*) AS n FROM keyed GROUP BY k;
SELECT * FROM FROM_CHANGELOG(input => TABLE groups);
--- error
LV-1011
FROM_CHANGELOG of rows that change
line 2, column 15
TO_CHANGELOG makes one
