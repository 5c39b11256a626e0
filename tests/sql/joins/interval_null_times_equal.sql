-- Times that are NULL are not equal to one another.
--- use payments
--- sql
SELECT c.id, a.id AS answer FROM calls AS c FULL JOIN answers AS a ON c.ts = a.ts;
--- rows
id | answer
1 | NULL
2 | NULL
3 | NULL
4 | 9
5 | NULL
6 | NULL
NULL | 7
NULL | 8
NULL | 10
NULL | 11
