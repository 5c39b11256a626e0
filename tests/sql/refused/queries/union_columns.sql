-- The query that has another number of columns is the third.
--- use keyed
--- sql
SELECT id, k FROM keyed UNION ALL SELECT v, k FROM keyed UNION ALL SELECT id FROM keyed;
--- error
LV-1018
different numbers of columns
line 1, column 75
