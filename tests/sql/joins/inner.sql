-- JOIN: rows that are there twice make pairs twice, NULL equals nothing.
--- use shop
--- sql
SELECT o.id, c.name FROM orders AS o JOIN customers AS c ON o.customer = c.customer;
--- rows
id | name
1 | Ada
2 | Ben
3 | Ada
6 | Cy
6 | Cy
6 | Cyn
6 | Cyn
