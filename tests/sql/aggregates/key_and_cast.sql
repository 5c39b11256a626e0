-- A column and a cast of it, which are called the same, are two keys.
--- use keyed
--- sql
SELECT t.v, CAST(t.v AS STRING) || '!' AS s, COUNT(*) AS n FROM keyed AS t GROUP BY t.v, CAST(t.v AS STRING);
--- rows
v | s | n
1 | 1! | 1
5 | 5! | 1
7 | 7! | 1
8 | 8! | 1
10 | 10! | 1
20 | 20! | 2
30 | 30! | 1
NULL | NULL | 1
