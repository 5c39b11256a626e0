-- A side without rows.
--- use shop
--- sql
SELECT o.id, c.name FROM orders AS o LEFT JOIN (SELECT * FROM customers WHERE least > 100) AS c ON o.customer = c.customer WHERE o.id < 3;
--- rows
id | name
1 | NULL
2 | NULL
