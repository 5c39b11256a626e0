-- FIRST_VALUE and LAST_VALUE over rows that change: what went is not there any more.
--- use keyed
--- sql
SELECT n, FIRST_VALUE(k) AS f, LAST_VALUE(k) AS l FROM (SELECT k, COUNT(*) AS n FROM keyed WHERE k <> 'd' GROUP BY k) GROUP BY n;
--- rows
n | f | l
1 | c | c
2 | b | b
3 | a | a
