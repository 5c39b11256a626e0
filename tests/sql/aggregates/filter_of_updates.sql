-- WHERE over an updating input: rows come and go.
--- use keyed
--- sql
SELECT k FROM (SELECT k, COUNT(*) AS n FROM keyed GROUP BY k) WHERE n = 2;
--- rows
k
b
NULL
