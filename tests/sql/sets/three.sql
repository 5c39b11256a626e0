-- INTERSECT binds closer than EXCEPT and UNION.
--- use shop
--- sql
SELECT customer FROM orders EXCEPT SELECT customer FROM customers INTERSECT SELECT customer FROM orders
UNION SELECT 99;
--- rows
customer
13
99
