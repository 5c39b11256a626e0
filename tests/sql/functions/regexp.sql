-- REGEXP_EXTRACT with a group, REGEXP_REPLACE, and NULL where nothing matches.
--- sql
SELECT REGEXP_EXTRACT(s, '(\d+)-(\d+)', 2) AS g, REGEXP_REPLACE(s, '[0-9]+', '#') AS r, REGEXP(s, '^a') AS m
FROM (VALUES ('a12-34'), ('none'), (CAST(NULL AS STRING))) AS v (s);
--- rows
g | r | m
34 | a#-# | true
NULL | none | false
NULL | NULL | NULL
