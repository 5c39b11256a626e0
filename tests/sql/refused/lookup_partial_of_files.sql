-- Files cannot be asked by key.
--- use directory
--- sql
CREATE TABLE cached (id INT, name STRING)
WITH ('connector' = 'filesystem', 'path' = '{dir}/people.json', 'format' = 'json', 'lookup.cache' = 'PARTIAL');
SELECT o.id FROM orders AS o JOIN cached FOR SYSTEM_TIME AS OF o.pt AS c ON o.person = c.id;
--- error
files cannot be asked by key
