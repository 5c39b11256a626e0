-- A join of rows that only come, into files.
--- use shop
--- sql
CREATE TABLE out_ (id INT, name STRING) WITH ('connector' = 'filesystem', 'path' = '{dir}/out', 'format' = 'json');
INSERT INTO out_ SELECT o.id, c.name FROM orders AS o JOIN customers AS c ON o.customer = c.customer;
--- rows out_
id | name
1 | Ada
2 | Ben
3 | Ada
6 | Cy
6 | Cy
6 | Cyn
6 | Cyn
