-- LISTAGG with and without a separator, DISTINCT and FILTER; NULLs are left out.
--- use keyed
--- sql
SELECT k, LISTAGG(CAST(v AS STRING)) FILTER (WHERE v IN (10, 20, 7)) AS a, LISTAGG(k, ' - ') AS b, LISTAGG(DISTINCT CAST(v / v AS STRING)) AS c
FROM keyed GROUP BY k;
--- rows
k | a | b | c
a | 10 | a - a - a | 1
b | 20,20 | b - b | 1
c | NULL | c | NULL
d | NULL | d | 1
NULL | 7 | NULL | 1
