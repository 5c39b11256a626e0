-- Customers with orders who are nowhere else.
--- use shop
--- sql
SELECT customer FROM orders EXCEPT SELECT customer FROM customers;
--- rows
customer
13
