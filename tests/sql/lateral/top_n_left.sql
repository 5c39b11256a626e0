-- Customers without orders come too; the second largest order is asked for.
--- use shop
--- sql
SELECT c.name, o.id
FROM customers AS c LEFT JOIN LATERAL (
  SELECT id FROM orders WHERE orders.customer = c.customer ORDER BY amount DESC, id LIMIT 1 OFFSET 1) AS o ON TRUE;
--- rows
name | id
Ada | 3
Ben | NULL
Cy | 6
Cyn | 6
Eve | NULL
Nil | NULL
