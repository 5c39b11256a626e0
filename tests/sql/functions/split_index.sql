-- SPLIT_INDEX counts from 0; outside of the parts there is NULL.
--- sql
SELECT SPLIT_INDEX(s, '/', 0) AS a, SPLIT_INDEX(s, '/', 2) AS b, SPLIT_INDEX(s, '/', 5) AS c
FROM (VALUES ('x/y/z'), ('one'), (CAST(NULL AS STRING))) AS v (s);
--- rows
a | b | c
x | z | NULL
one | NULL | NULL
NULL | NULL | NULL
