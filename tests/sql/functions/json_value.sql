-- JSON_VALUE and JSON_QUERY by path; what is not there is NULL.
--- sql
SELECT JSON_VALUE(s, '$.a') AS a, JSON_VALUE(s, '$.b[1]') AS b, JSON_QUERY(s, '$.b') AS q, JSON_EXISTS(s, '$.a') AS e
FROM (VALUES ('{"a": "x", "b": [1, 2]}'), ('{"c": 1}')) AS v (s);
--- rows
a | b | q | e
x | 2 | [1,2] | true
NULL | NULL | NULL | false
