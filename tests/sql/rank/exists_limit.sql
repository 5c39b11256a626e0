-- LIMIT of EXISTS changes nothing.
--- use shop
--- sql
SELECT o.id FROM orders AS o WHERE EXISTS (SELECT 1 FROM customers AS c WHERE c.customer = o.customer LIMIT 1);
--- rows
id
1
2
3
6
6
