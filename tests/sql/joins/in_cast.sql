-- What IN compares is cast, and the subquery compares the same column as it is.
--- use keyed
--- sql
SELECT o.id FROM keyed AS o WHERE CAST(o.v AS BIGINT) IN (SELECT i.id FROM keyed AS i WHERE i.id < o.id);
--- rows
id
6
9
