-- A type of PostgreSQL.
--- use market
--- sql
CREATE TABLE t (a JSON) WITH ('connector' = 'print');
--- error
LV-1012
JSON is not a type
line 1, column 19
hint: use STRING, with JSON_VALUE and JSON_QUERY
