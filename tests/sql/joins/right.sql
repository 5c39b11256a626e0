-- RIGHT JOIN: the same from the other side.
--- use shop
--- sql
SELECT o.id, c.name FROM orders AS o RIGHT JOIN customers AS c ON o.customer = c.customer;
--- rows
id | name
1 | Ada
2 | Ben
3 | Ada
6 | Cy
6 | Cy
6 | Cyn
6 | Cyn
NULL | Eve
NULL | Nil
