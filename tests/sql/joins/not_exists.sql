-- NOT EXISTS: NULL has no partner.
--- use shop
--- sql
SELECT id FROM orders AS o WHERE NOT EXISTS (SELECT 1 FROM customers AS c WHERE c.customer = o.customer);
--- rows
id
4
5
