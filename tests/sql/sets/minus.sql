-- MINUS is EXCEPT.
--- use shop
--- sql
SELECT customer FROM customers MINUS SELECT customer FROM orders;
--- rows
customer
14
