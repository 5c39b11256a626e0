-- VALUES as a query.
--- sql
SELECT a, b FROM (VALUES (1, 'x'), (2, NULL), (CAST(NULL AS INT), 'z')) AS t (a, b) WHERE a IS NULL OR a > 1;
--- rows
a | b
2 | NULL
NULL | z
