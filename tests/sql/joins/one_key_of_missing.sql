-- The key of an input that may be missing is not that of the others.
--- use shop
--- sql
SELECT c.name, o.id, t.n FROM customers AS c
LEFT JOIN orders AS o ON c.customer = o.customer LEFT JOIN (SELECT customer, COUNT(*) AS n, SUM(amount) AS total FROM orders GROUP BY customer) AS t ON o.customer = t.customer;
--- rows
name | id | n
Ada | 1 | 2
Ada | 3 | 2
Ben | 2 | 1
Cy | 6 | 2
Cy | 6 | 2
Cyn | 6 | 2
Cyn | 6 | 2
Eve | NULL | NULL
Nil | NULL | NULL
