-- EXISTS with a correlated subquery.
--- use shop
--- sql
SELECT id FROM orders AS o WHERE EXISTS (SELECT 1 FROM customers AS c WHERE c.customer = o.customer);
--- rows
id
1
2
3
6
6
