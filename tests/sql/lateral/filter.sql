-- Conditions of any kind, of which some are about the subquery alone.
--- use shop
--- sql
SELECT c.name, o.id
FROM customers AS c JOIN LATERAL (
  SELECT id, amount FROM orders WHERE orders.customer = c.customer AND amount > c.least AND id <> 2) AS o ON o.amount < 100;
--- rows
name | id
Ada | 1
Cy | 6
Cy | 6
