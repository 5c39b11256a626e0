-- NOT EXISTS with a condition beside the equality.
--- use shop
--- sql
SELECT id FROM orders AS o WHERE NOT EXISTS (SELECT 1 FROM customers AS c WHERE c.customer = o.customer AND c.least < o.amount);
--- rows
id
2
3
4
5
