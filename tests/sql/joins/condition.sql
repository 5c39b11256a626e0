-- A condition beside the equality.
--- use shop
--- sql
SELECT o.id, c.name FROM orders AS o JOIN customers AS c ON o.customer = c.customer AND o.amount > c.least;
--- rows
id | name
1 | Ada
6 | Cy
6 | Cy
