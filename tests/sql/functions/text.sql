-- Functions of texts.
--- file t.csv
Hello
ação
--- sql
CREATE TABLE t (s STRING) WITH ('connector' = 'filesystem', 'path' = '{dir}/t.csv', 'format' = 'csv');
SELECT UPPER(s) AS u, LOWER(s) AS l, CHAR_LENGTH(s) AS n, SUBSTRING(s FROM 2 FOR 2) AS m, CONCAT(s, '-', s) AS c, s || '!' AS d, REVERSE(s) AS r, REPLACE(s, 'l', 'L') AS p FROM t;
--- rows
u | l | n | m | c | d | r | p
HELLO | hello | 5 | el | Hello-Hello | Hello! | olleH | HeLLo
AÇÃO | ação | 4 | çã | ação-ação | ação! | oãça | ação
