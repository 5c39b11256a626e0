-- LEFT JOIN with a condition of its own.
--- use shop
--- sql
SELECT c.name, o.id
FROM customers AS c LEFT JOIN LATERAL (
  SELECT id, amount FROM orders WHERE orders.customer = c.customer AND amount > c.least) AS o ON o.id < 6;
--- rows
name | id
Ada | 1
Ben | NULL
Cy | NULL
Cyn | NULL
Eve | NULL
Nil | NULL
