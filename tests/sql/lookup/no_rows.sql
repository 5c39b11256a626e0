-- A table without rows.
--- use directory
--- file nothing.json
--- sql
CREATE TABLE nothing (id INT, name STRING)
WITH ('connector' = 'filesystem', 'path' = '{dir}/nothing.json', 'format' = 'json', 'lookup.cache' = 'FULL');
SELECT o.id, n.name FROM orders AS o
LEFT JOIN nothing FOR SYSTEM_TIME AS OF o.pt AS n ON o.person = n.id WHERE o.id < 3;
--- rows
id | name
1 | NULL
2 | NULL
