-- The first rows of a join.
--- use shop
--- sql
SELECT o.id, c.name FROM orders AS o JOIN customers AS c ON o.customer = c.customer ORDER BY c.name DESC, o.id LIMIT 2;
--- rows
id | name
6 | Cyn
6 | Cyn
