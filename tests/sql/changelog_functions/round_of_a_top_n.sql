-- The first row of each key.
--- use keyed
--- sql
CREATE VIEW firsts AS SELECT k, id, v FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY v DESC, id) AS n FROM keyed) WHERE n = 1;
CREATE VIEW log AS SELECT * FROM TO_CHANGELOG(input => TABLE firsts PARTITION BY k, op => DESCRIPTOR(kind));
SELECT * FROM FROM_CHANGELOG(input => TABLE log, op => DESCRIPTOR(kind));
--- rows
k | id | v
a | 3 | 30
b | 2 | 20
c | 4 | NULL
d | 9 | 1
NULL | 8 | 8
