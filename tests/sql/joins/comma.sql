-- Tables side by side in FROM are joined by what WHERE says.
--- use shop
--- sql
SELECT o.id, c.name FROM orders AS o, customers AS c WHERE o.customer = c.customer AND c.least > 3;
--- rows
id | name
1 | Ada
2 | Ben
3 | Ada
6 | Cyn
6 | Cyn
