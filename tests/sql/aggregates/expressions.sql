-- Keys and arguments are expressions; expressions over the results.
--- use keyed
--- sql
SELECT UPPER(k) || '!' AS name, SUM(v * 2) + 1 AS odd, COUNT(*) * 10 AS n FROM keyed WHERE k IS NOT NULL GROUP BY UPPER(k);
--- rows
name | odd | n
A! | 91 | 30
B! | 81 | 20
C! | NULL | 10
D! | 3 | 10
