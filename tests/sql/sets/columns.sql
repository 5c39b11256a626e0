-- Rows are equal in all of their columns, NULLs included.
--- use keyed
--- sql
SELECT k, v FROM keyed WHERE id < 6 INTERSECT SELECT k, v FROM keyed WHERE id > 1;
--- rows
k | v
a | 30
b | 20
c | NULL
