-- IS NOT DISTINCT FROM: NULL equals NULL.
--- use shop
--- sql
SELECT o.id, c.name FROM orders AS o JOIN customers AS c ON o.customer IS NOT DISTINCT FROM c.customer;
--- rows
id | name
1 | Ada
2 | Ben
3 | Ada
6 | Cy
6 | Cy
6 | Cyn
6 | Cyn
4 | Nil
